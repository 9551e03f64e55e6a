"""The house: each module has a line in CONTRIBUTING, imports run one way, and the workflows can do no harm."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "tap_gong_privacy"
MODULES = {path.stem: path for path in PACKAGE.glob("*.py")}
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: (?:\./|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)")

in_a_checkout = pytest.mark.skipif(not WORKFLOWS, reason="an sdist has no workflows")


def imported(path: Path) -> set[str]:
    """The package's modules that a module imports when it runs, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in statements(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{PACKAGE.name}."):
            names.add(node.module.partition(".")[2])
    return names


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below a node, save what serves the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from statements(child)


def test_contributing_says_why_each_module_exists() -> None:
    """One line for each, none for a module that is gone."""
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)

    assert sorted(name for name, _ in lines) == sorted(MODULES)
    assert all(len(reason) > 10 for _, reason in lines)


def test_the_picture_of_the_datas_way_shows_modules() -> None:
    """Each name in it is a module, or something outside of the package with a label of its own."""
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    picture = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert picture
    outside = set(re.findall(r"(\w+)\[", picture[1]))
    edges = re.sub(r"\[[^]]*\]|\|[^|]*\||flowchart LR", "", picture[1])

    assert set(re.findall(r"\w+", edges)) - outside <= set(MODULES)


def test_imports_run_one_way() -> None:
    """No module needs one that needs it; `CycleError` names the ring."""
    graph = {name: imported(path) & set(MODULES) for name, path in MODULES.items()}

    assert list(TopologicalSorter(graph).static_order())
    assert [name for name, needed in graph.items() if "sandbox" in needed] == []


@in_a_checkout
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_each_action_and_grant_what_they_need(path: Path) -> None:
    """Full commits with their version; no right but those that a job names, and only publishing writes."""
    text = path.read_text(encoding="utf-8")
    workflow: dict[str, Any] = yaml.safe_load(text)
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]

    assert [line for line in text.splitlines() if "uses:" in line and not PINNED.search(line)] == []
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    rights = {right for job in workflow["jobs"].values() for right in job["permissions"].items()}
    assert rights <= {("contents", "read"), ("id-token", "write")}
    assert checkouts
    assert all(step["with"] == {"fetch-depth": 0, "persist-credentials": False} for step in checkouts)


@in_a_checkout
def test_workflows_run_the_gates_on_each_supported_python() -> None:
    """The matrix has the Pythons that the package declares; what a job runs is the one command."""
    classifiers = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    job = yaml.safe_load((CHECKOUT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))["jobs"]["tests"]

    assert job["strategy"]["matrix"]["python"] == re.findall(r":: (3\.\d+)", "\n".join(classifiers))
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


@in_a_checkout
def test_only_what_was_built_once_is_published() -> None:
    """The job that may publish runs nothing of the checkout, and waits for the tests."""
    jobs = yaml.safe_load((CHECKOUT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    publish = jobs["publish"]

    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["publish"]
    assert set(publish["needs"]) == set(jobs) - {"publish"}
    assert publish["environment"]
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
