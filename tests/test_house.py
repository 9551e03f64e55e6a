"""The layout: each folder has a line in CONTRIBUTING, imports run one way, and the workflows have few rights."""

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
FOLDERS = {
    # Which folders of the package each one may import. "" is the package's own folder.
    "gong": {"gong"},
    "round": {"gong", "round", "errors"},
    "singer": {"gong", "round", "singer", "errors"},
    "report": {"gong", "round", "singer", "report", "errors", "privacy", "settings", "base_url"},
    "report.rows": {"gong", "singer", "report", "errors", "privacy"},
    "report.pages": {"gong", "singer", "report"},
}
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: (?:\./|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)")

in_a_checkout = pytest.mark.skipif(not WORKFLOWS, reason="an sdist has no workflows")


def imported(path: Path) -> set[str]:
    """The package's modules that a module imports when it runs, wherever in it."""
    names: set[str] = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
            module = node.module.partition(".")[2]
            inner = {f"{module}.{alias.name}".lstrip(".") for alias in node.names} & set(MODULES)
            names |= inner or {module}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.name for alias in node.names if alias.name.split(".")[0] == "sandbox"}
    return names


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes below a node, except those that only a type checker needs."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from statements(child)


def test_contributing_says_why_each_folder_exists() -> None:
    """Each folder has one line, and no line is about a folder that does not exist."""
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `tap_gong_privacy/([\w/]*?)/?` \| (.+) \|$", text, re.MULTILINE)

    assert sorted(name.replace("/", ".") for name, _ in lines) == sorted({name.rpartition(".")[0] for name in MODULES})
    assert all(len(reason) > 10 for _, reason in lines)


def test_imports_run_one_way() -> None:
    """No two modules import each other, directly or not; `CycleError` names the circle."""
    graph = {name: imported(path) & set(MODULES) for name, path in MODULES.items()}

    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", MODULES)
def test_a_folder_imports_only_what_it_may(name: str) -> None:
    """The Gong side knows nothing of Singer, rounds know nothing of Singer, and nothing needs the sandbox."""
    folder = name.rpartition(".")[0]
    needed = {module.partition(".")[0] for module in imported(MODULES[name])}

    assert needed <= FOLDERS.get(folder, needed - {"sandbox"})


@in_a_checkout
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_each_action_and_grant_what_they_need(path: Path) -> None:
    """Actions are pinned to full commits, and each job has only the rights that it names."""
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
