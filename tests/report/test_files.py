"""The files of a report: whole or not at all, private, never over another file, whatever ends the process."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.errors import CommandLineError, ConfigError
from tap_gong_privacy.report import files
from tests.report.building import COMMAND, JANE, found, look_up, run_report, singer_lines
from tests.running import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("person.html", "person.json")
NOTHING = b"".join(singer_lines([look_up(JANE, "not_found")]))
PERSON = ("person", "--from", "-", "--draft", JANE)
LARGE = 20_000
TAKEN = "holds such a report already, or is a file: name another; nothing is overwritten."
LINK = "The folder given by --to is a link: name the folder that it leads to."
FOREIGN = "The folder given by --to belongs to another user"
OPEN = "Others may write into the folder given by --to"


def modes(folder: Path) -> dict[str, int]:
    """The modes of all that is below a folder."""
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def refusal(folder: Path, contents: dict[str, Iterator[bytes]] | None = None) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(ConfigError) as caught:
        files.write(folder, contents or dict.fromkeys(NAMES, iter([b"x"])))
    assert caught.value.__cause__ is None
    return caught.value.message


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An answer whose page takes a while to write."""
    path = tmp_path_factory.mktemp("large") / "output.jsonl"
    path.write_bytes(b"".join(singer_lines(found(JANE, emails=LARGE))))
    return path


def interrupted(folder: Path, source: Path, signum: signal.Signals) -> tuple[int, str]:
    """Run the command, and send a signal while it writes the page; return its exit code and stderr."""
    command = [str(COMMAND), "person", "--from", str(source), "--draft", "--to", str(folder), JANE]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not any(path.stat().st_size > 100_000 for path in folder.glob(".*.part")):
            time.sleep(0.001)
        process.send_signal(signum)
        _, error = process.communicate(timeout=60)
    return process.returncode, error


def test_a_kill_amid_the_writing_leaves_no_page(large: Path, tmp_path: Path) -> None:
    """What is left has no name of a report, no one else may read it, and the next run removes it."""
    folder = tmp_path / "made"
    code, _ = interrupted(folder, large, signal.SIGKILL)
    left = modes(folder)
    again = run_report(tmp_path, *PERSON, source=NOTHING)

    assert code == -signal.SIGKILL
    assert [(name[:13], mode) for name, mode in left.items()] == [(".person.html.", 0o600)]
    assert again.returncode == 0
    assert modes(folder) == dict.fromkeys(NAMES, 0o600)
    assert again.read("person.html").endswith("</html>")


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_the_writing_leaves_nothing(large: Path, tmp_path: Path, signum: signal.Signals) -> None:
    """Not even the folders that were made; the exit code names the signal."""
    assert interrupted(tmp_path / "a" / "b", large, signum) == (128 + signum, "")
    assert list(tmp_path.iterdir()) == []


def test_a_closed_terminal_does_not_end_what_shall_outlive_it(tmp_path: Path) -> None:
    """`nohup` makes the process ignore SIGHUP, and it stays so."""
    command = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", str(COMMAND), *PERSON, "--to", str(tmp_path / "made")]
    with subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        # More than a pipe holds: once it is written the command has begun to read, and so has set up its signals.
        process.stdin.write(NOTHING + b"\n" * 1_000_000)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert modes(tmp_path / "made") == dict.fromkeys(NAMES, 0o600)


def test_no_file_has_its_name_before_each_is_whole(tmp_path: Path) -> None:
    """A page without its data, or half of one, is never there."""
    seen: list[set[str]] = []

    def parts(content: bytes) -> Iterator[bytes]:
        yield content
        seen.append(set(NAMES) & {path.name for path in (tmp_path / "made").iterdir()})

    files.write(tmp_path / "made", {"person.html": parts(b"page"), "person.json": parts(b"rows")})

    assert seen == [set(), set()]
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()} == {
        "person.html": b"page",
        "person.json": b"rows",
    }


def test_a_page_that_cannot_get_its_name_takes_the_data_with_it(tmp_path: Path) -> None:
    """Somebody else made a file of that name in the meantime: theirs stays, and ours goes."""

    def parts() -> Iterator[bytes]:
        yield b"x"
        (tmp_path / "person.html").write_text("theirs")

    tmp_path.chmod(0o755)

    assert TAKEN in refusal(tmp_path, {"person.html": parts(), "person.json": iter([b"x"])})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"person.html": "theirs"}


@pytest.mark.parametrize("umask", [0o000, 0o222, 0o777], ids=oct)
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    """Every folder that is made is its owner's alone, those above the named one too, and the owner can read all."""
    done = subprocess.run(
        [COMMAND, *PERSON, "--to", "a/b/c"],
        cwd=tmp_path,
        input=NOTHING,
        env=environment(),
        umask=umask,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert modes(tmp_path) == {
        **dict.fromkeys(("a", "a/b", "a/b/c"), 0o700),
        **dict.fromkeys((f"a/b/c/{name}" for name in NAMES), 0o600),
    }


def test_the_umask_is_as_before(tmp_path: Path) -> None:
    """Also after a failure."""
    before = os.umask(0o027)
    try:
        files.write(tmp_path / "made", {"x": [b"x"]})
        refusal(tmp_path / "made" / "x")
        after = os.umask(0o027)
    finally:
        os.umask(before)

    assert after == 0o027


def test_folders_above_keep_their_modes(tmp_path: Path) -> None:
    """What is there already is not of this command's making; a folder of one's own may be read by others."""
    tmp_path.chmod(0o777)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine").chmod(0o755)
    files.write(tmp_path / "mine", {"x": [b"x"]})
    files.write(tmp_path / "mine" / "new", {"x": [b"x"]})

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o777
    assert modes(tmp_path) == {"mine": 0o755, "mine/x": 0o600, "mine/new": 0o700, "mine/new/x": 0o600}


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of another user."""
    if os.geteuid():
        return Path("/")
    folder = tmp_path / "foreign"
    folder.mkdir()
    os.chown(folder, 65534, -1)
    return folder


def test_a_folder_that_others_reach_is_refused(tmp_path: Path, foreign: Path) -> None:
    """A link, another user's, or one that others may write into: by that they could read or replace the report."""
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("own")
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "file").touch()
    for mode in (0o720, 0o702, 0o1777):
        (tmp_path / oct(mode)).mkdir()
        (tmp_path / oct(mode)).chmod(mode)
    before = modes(tmp_path)

    for names in (NAMES, ()):
        for name, message in (("link", LINK), ("nowhere", LINK), ("file", TAKEN)):
            with pytest.raises(ConfigError, match=message[-20:]):
                files.refuse_existing(tmp_path / name, names)
            assert message in refusal(tmp_path / name)
        for mode in (0o720, 0o702, 0o1777):
            assert OPEN in refusal(tmp_path / oct(mode))
    assert FOREIGN in refusal(foreign)
    assert modes(tmp_path) == before


def test_a_folder_that_is_refused_is_refused_before_reading(tmp_path: Path) -> None:
    """The output of a pipe, which has cost a call, is not thrown away."""
    (tmp_path / "link").symlink_to(".")
    made = run_report(tmp_path, *PERSON, "--to", "link", source=b"no output of the tap")

    assert (made.returncode, made.stderr) == (1, f"Error: {LINK}\n")


@pytest.mark.parametrize("folder", ["", ".", "./"])
def test_an_empty_name_does_not_mean_the_current_folder(tmp_path: Path, folder: str) -> None:
    """That may be a checkout, and a variable that is not set is an empty name."""
    made = run_report(tmp_path, *PERSON, "--to", folder, source=b"no output of the tap")

    assert made.returncode == 2
    assert made.stderr == (
        "Error: --to names no folder, or the current one: name a folder; it is made if it is missing.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "open", "foreign"])
def test_a_folder_that_is_put_there_in_the_meantime_is_refused(
    tmp_path: Path, foreign: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Between the check and the writing somebody else may be quicker; nothing goes into their folder."""
    folder = tmp_path / "made"
    (tmp_path / "theirs").mkdir()
    check = files.refuse_existing

    def overtaken(*given: object) -> None:
        check(*given)  # type: ignore[arg-type]  # the same
        if kind == "link":
            folder.symlink_to("theirs")
        elif kind == "foreign" and not os.geteuid():
            foreign.rename(folder)
        else:
            folder.mkdir()
            folder.chmod(0o777)

    monkeypatch.setattr(files, "refuse_existing", overtaken)

    assert {"link": LINK, "open": OPEN, "foreign": FOREIGN if not os.geteuid() else OPEN}[kind] in refusal(folder)
    assert [*folder.iterdir(), *(tmp_path / "theirs").iterdir()] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_name_that_is_taken_is_refused_at_once(tmp_path: Path, name: str, kind: str) -> None:
    """Also by a link that leads nowhere, through which the file would be made in another place."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    if kind == "file":
        (folder / name).write_text("kept")
    else:
        (folder / name).symlink_to(tmp_path / "elsewhere")
    unread = iter([b"x"])

    assert TAKEN in refusal(folder, {"person.html": unread, "person.json": unread})
    assert [*unread] == [b"x"]
    assert [path.name for path in folder.iterdir()] == [name]
    assert not (tmp_path / "elsewhere").exists()


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    """Only the temporary files of a run that was killed are replaced."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    others = [".erasure.html.part", ".person.html", "person.html.part", ".person.html.bak"]
    for name in [*others, ".person.html.part", ".person.json.part"]:
        (folder / name).touch(0o600)
    files.write(folder, {name: iter([b"x"]) for name in NAMES})

    assert sorted(modes(folder)) == sorted([*others, *NAMES])


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """No half of a page could be taken for a whole one; the folders go too."""

    def parts() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    message = refusal(tmp_path / "a" / "b", {"first": iter([b"x"]), "second": parts()})

    assert message == (
        "The report could not be written (no space left on device): make room, or name another folder by --to."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_limit_of_the_system_is_one_line_and_leaves_nothing(large: Path, tmp_path: Path) -> None:
    """The error comes from the system amid the page, as it does if a disk is full."""
    done = subprocess.run(
        [COMMAND, "person", "--from", large, "--draft", "--to", "made", JANE],
        cwd=tmp_path,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The report could not be written (file too large)")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name, reason",
    [("file/x", "not a directory"), ("x" * 300, "file name too long"), (f"{'x' * 300}/y", "file name too long")],
)
def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path: Path, name: str, reason: str) -> None:
    """Before anything is read."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=rf"could not be written \({reason}\)"):
        files.refuse_existing(tmp_path / name, NAMES)


def test_missing_folders_above_are_those_that_would_be_made(tmp_path: Path) -> None:
    """Their names are seen by others, so the command looks at them."""
    assert files.to_be_made(tmp_path) == [tmp_path]
    assert files.to_be_made(tmp_path / "a" / "b") == [tmp_path / "a" / "b", tmp_path / "a"]
    with pytest.raises(ConfigError, match="file name too long"):
        files.to_be_made(tmp_path / ("x" * 300) / "y")


@pytest.mark.parametrize("arguments", [PERSON, ("notice",), ("--help",)], ids=lambda arguments: arguments[0])
def test_a_standard_output_that_is_full_is_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The files are made by then, and stay."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [COMMAND, *arguments, *(["--to", "made"] if arguments == PERSON else [])],
            cwd=tmp_path,
            input=NOTHING,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.decode() == (
        "Error: Standard output cannot be written (no space left on device). A report that was made is in its folder.\n"
    )
    assert arguments != PERSON or modes(tmp_path / "made") == dict.fromkeys(NAMES, 0o600)


def test_the_current_folder_is_a_wrong_command_line() -> None:
    """The exit code is that of one."""
    with pytest.raises(CommandLineError):
        files.refuse_existing(Path(), NAMES)
