"""What is published: the wheel that is built from the sdist, installed into an empty environment."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.end_to_end.pipeline import CHECKOUT
from tests.running import Result, check_output, environment

if TYPE_CHECKING:
    from tests.end_to_end.pipeline import Sandbox

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = PROJECT["project"]["name"]
PACKAGE = {
    path.relative_to(CHECKOUT).as_posix()
    for path in (CHECKOUT / "tap_gong_privacy").rglob("*")
    if path.is_file() and path.suffix != ".pyc"
}
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


class Built(NamedTuple):
    """Both distributions, the version that they bear, and the command that an installation of the wheel gives."""

    sdist: Path
    wheel: Path
    version: str
    command: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist of this checkout, the wheel made of nothing but that sdist, and an environment with the wheel alone."""
    folder = tmp_path_factory.mktemp("built")
    tools = folder / "tools"
    run(*PIP, "install", "--no-compile", "--target", tools, *PROJECT["build-system"]["requires"])
    hatchling = (sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder)
    run(*hatchling, cwd=CHECKOUT, PYTHONPATH=str(tools))
    (sdist,) = folder.glob("*.tar.gz")
    # Uses the tools of this environment, so that pip does not download them again.
    run(*PIP, "wheel", "--no-build-isolation", "--no-deps", "-w", folder, sdist, cwd=folder, PYTHONPATH=str(tools))
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    run(*PIP, "--python", folder / "venv", "install", "--no-compile", wheel, cwd=folder)
    return Built(sdist, wheel, wheel.name.split("-")[1], folder / "venv" / "bin" / NAME)


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Run a command that has to succeed, and return what it prints."""
    done = subprocess.run(
        command, cwd=cwd, env=environment(variables), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    """Each module, the mark that it is typed, the license; neither tests nor docs."""
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
        license_text = wheel.read(f"tap_gong_privacy-{built.version}.dist-info/licenses/LICENSE")
    about = {name for name in names if name.startswith(f"tap_gong_privacy-{built.version}.dist-info/")}

    assert "tap_gong_privacy/py.typed" in names
    assert names - about == PACKAGE
    assert license_text == (CHECKOUT / "LICENSE").read_bytes()


def test_the_metadata_says_what_the_project_declares(built: Built) -> None:
    """Name, license, Pythons, dependencies, extras and the README, as a registry shows them."""
    with zipfile.ZipFile(built.wheel) as wheel:
        metadata = BytesParser().parsebytes(
            wheel.read(f"tap_gong_privacy-{built.version}.dist-info/METADATA"),
        )
    project = PROJECT["project"]

    assert metadata["Name"] == NAME
    assert metadata["License-Expression"] == "Apache-2.0"
    assert {part.strip() for part in metadata["Requires-Python"].split(",")} == set(
        project["requires-python"].split(",")
    )
    assert metadata.get_all("Classifier") == project["classifiers"]
    assert metadata.get_all("Provides-Extra") == list(project["optional-dependencies"])
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(required) == len(project["dependencies"])
    assert metadata["Description-Content-Type"] == "text/markdown"
    readme = metadata.get_payload(decode=True)
    assert isinstance(readme, bytes)
    assert readme.strip() == (CHECKOUT / "README.md").read_bytes().strip()


@pytest.mark.skipif(not (CHECKOUT / ".git").exists(), reason="only a checkout says what it tracks")
def test_the_sdist_holds_what_a_build_and_its_tests_need(built: Built) -> None:
    """A packager can run `make test` in the unpacked sdist."""
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    tracked = run("git", "ls-files", cwd=CHECKOUT).splitlines()
    left_out = {name for name in tracked if name.startswith((".ci/", ".github/"))}

    assert names >= set(tracked) - left_out
    assert not names & left_out


def test_the_installed_command_says_its_version(built: Built) -> None:
    """It is that of the wheel."""
    assert run(built.command, "--version").split()[1].rstrip(",") == f"v{built.version}"


def test_the_installed_command_discovers_the_streams(built: Built) -> None:
    """The catalog is that of this checkout."""
    here = run(Path(sys.executable).with_name(NAME), "--discover")
    assert json.loads(run(built.command, "--discover")) == json.loads(here)


def test_the_installed_command_looks_addresses_up(built: Built, sandbox: Sandbox, tmp_path: Path) -> None:
    """The declared dependencies are enough for a whole run."""
    credentials = {"access_key": sandbox.access_key, "access_key_secret": sandbox.access_key_secret}
    config = {
        "api_url": sandbox.api_url,
        **credentials,
        "email_addresses": ["jane.doe@example.com", "unknown@example.com"],
    }
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    done = subprocess.run(
        [built.command, "--config", file], env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    result = Result(done.returncode, done.stdout, done.stderr, config)

    check_output(result)
    assert result.returncode == 0
    assert [record["status"] for record in result.records["lookups"]] == ["found", "not_found"]
