"""relet as a library: docs/library.md is true, its examples run and are typed, and what is not used is not loaded."""

import doctest
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import relet.client
from relet.testing import RealLink
from support.lab import need

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "library.md"
EXAMPLE = ROOT / "examples" / "testing"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
PROGRAMS = [block for block in BLOCKS if "\ndef test_" not in block and "relet.lease(" not in block]
ON_A_HOST = [block for block in BLOCKS if "relet.lease(" in block]
TESTS = [block for block in BLOCKS if "\ndef test_" in block]
MODULES = ("relet", "relet.client", "relet.testing")
HEAVY = {
    "asyncio", "dataclasses", "logging", "pydantic", "pyroute2", "random", "rich", "sqlite3", "structlog", "subprocess",
    "tempfile", "typer",
}  # fmt: skip
"""What nobody loads who did not ask for it."""


def listed(module: str) -> set[str]:
    """The names that the page has of a module."""
    names = PAGE.read_text(encoding="utf-8").split("## Names")[1]
    (paragraph,) = re.findall(rf"^`{re.escape(module)}`: (.*?)(?:;|\n\n|\Z)", names, re.DOTALL | re.MULTILINE)
    return set(paragraph.split())


def loaded(statement: str) -> set[str]:
    """The modules that a program has loaded after a statement."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest as somebody else runs it: in a project of its own, with the plugin."""
    (folder / "pytest.ini").touch()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "relet.testing.plugin",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        *arguments,
    ]
    path = os.pathsep.join([str(ROOT / "src"), str(folder)])
    return subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project: the example, as it is."""
    for file in EXAMPLE.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_there_are_examples() -> None:
    assert len(PROGRAMS) >= 1
    assert len(ON_A_HOST) >= 2
    assert len(TESTS) >= 4


@pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: block.splitlines()[0])
def test_the_programs_of_the_page_run(block: str) -> None:
    exec(compile(block, str(PAGE), "exec"), {})  # what is exec'd is our own page


@pytest.mark.namespaces
@pytest.mark.parametrize("block", ON_A_HOST, ids=["a lease", "what happens"])
def test_the_programs_with_a_lease_run_on_a_host(block: str) -> None:
    need("ip")
    with RealLink() as link:
        server = link.server(pool="192.168.1.100-192.168.1.199")
        program = link.host().start(sys.executable, "-X", "dev", "-W", "error", "-c", block)
        assert program.wait() == 0, program.latest(20)
        assert "192.168.1.100" in "\n".join(program.latest(20))
        assert [row.state for row in server.leases] == ["released"]


@pytest.mark.namespaces
def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    need("udhcpc")
    for number, block in enumerate(TESTS):
        (tmp_path / f"test_page_{number}.py").write_text(block, encoding="utf-8")
    ended = run_pytest(tmp_path, "-q")
    assert ended.returncode == 0, ended.stdout
    assert f"{sum(block.count('def test_') for block in TESTS)} passed" in ended.stdout


def test_the_docstrings_of_the_client_are_true() -> None:
    assert doctest.testmod(relet.client).failed == 0
    assert len(doctest.DocTestFinder().find(relet.client)[0].examples) > 3


@pytest.mark.parametrize("module", MODULES)
def test_the_page_lists_every_public_name(module: str) -> None:
    public = import_module(module).__all__
    assert len(public) == len(set(public))
    assert listed(module) == set(public)
    assert all(hasattr(import_module(module), name) for name in public)


@pytest.mark.parametrize("module", ["relet", "relet.testing"])
def test_a_name_that_is_none_is_an_error(module: str) -> None:
    with pytest.raises(AttributeError, match=rf"module '{module}' has no attribute 'Nobody'"):
        import_module(module).Nobody  # noqa: B018


def test_examples_and_page_are_typed(project: Path) -> None:
    for number, block in enumerate(BLOCKS):
        (project / f"page_{number}.py").write_text(block, encoding="utf-8")
    files = [str(file) for file in project.glob("*.py")]
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
        "--config-file",
        "",
        *files,
    ]
    path = os.pathsep.join([str(ROOT / "src"), str(project)])
    ended = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, env=os.environ | {"MYPYPATH": path}
    )
    assert ended.returncode == 0, ended.stdout
    assert (ROOT / "src" / "relet" / "py.typed").exists()


@pytest.mark.namespaces
def test_the_example_project_passes(project: Path) -> None:
    need("udhcpc")
    ended = run_pytest(project, "-q")
    assert ended.returncode == 0, ended.stdout
    assert "7 passed" in ended.stdout


def test_a_failing_test_shows_the_exchange_and_the_seed(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_it(dhcp_server, dhcp_client):\n    dhcp_server()\n    dhcp_client().wait_for('renewing', seconds=60)\n"
    )
    said = run_pytest(tmp_path, "-q", "--dhcp-seed=5").stdout
    assert "client-1 is bound after 60 s, not renewing; it was" in said
    exchange = said.split("DHCP exchange (seed 5)")[1]
    for text in ("client-1", "server-1", "DHCPDISCOVER", "because 192.168.1.100 is free", "◆ BOUND"):
        assert text in exchange


def test_what_failed_before_is_no_excuse_for_a_ladder(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert not 'a link'\n")
    assert "DHCP exchange" not in run_pytest(tmp_path, "-q").stdout


def test_the_plugin_stays_out_of_other_peoples_runs(tmp_path: Path) -> None:
    """Nothing of relet is loaded but the plugin itself, and no test gets a fixture that it did not ask for."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_it(request):\n"
        "    assert sorted(name for name in sys.modules if name.startswith('relet')) == "
        "['relet', 'relet.testing', 'relet.testing.plugin']\n"
        "    assert not [name for name in request.fixturenames if name.startswith('dhcp')]\n"
    )
    ended = run_pytest(tmp_path, "-q", "--strict-markers", "--strict-config")
    assert ended.returncode == 0, ended.stdout


def test_a_real_link_where_there_can_be_none_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n\n@pytest.mark.dhcp_real\ndef test_it(dhcp_link, monkeypatch):\n    raise AssertionError\n"
    )
    (tmp_path / "conftest.py").write_text("import shutil\n\nshutil.which = lambda *_, **__: None\n")
    ended = run_pytest(tmp_path, "-q", "-rs")
    assert "needs the program ip" in ended.stdout
    assert "1 skipped" in ended.stdout


@pytest.mark.parametrize("statement", ["import relet", "import relet.client", "import relet.testing.plugin"])
def test_what_is_loaded_is_no_more_than_what_is_used(statement: str) -> None:
    before = loaded("import pytest, msgspec") if statement.endswith("plugin") else set()
    new = loaded(statement) - before
    assert "relet" in new
    assert new & HEAVY == set()
