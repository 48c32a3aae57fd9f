"""The example for an initramfs: what its hook copies is enough for a client, and nobody breaks out of its words."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import relet
from support.lab import Process, need
from support.serving import office
from support.talking import Host, host

pytestmark = pytest.mark.namespaces

EXAMPLE = Path(__file__).parents[2] / "examples" / "initramfs"
FUNCTIONS = """
copy_file() {
    mkdir -p "$DESTDIR$(dirname "${3:-$2}")"
    cp -pL "$2" "$DESTDIR${3:-$2}"
}
copy_exec() {
    copy_file binary "$1"
    ldd "$1" | grep -o '/[^ ]*' | while read -r each; do copy_file binary "$each"; done
}
"""
"""What the hook needs of initramfs-tools' hook-functions(8)."""

MODULES = ":".join(str(Path(str(module.__file__)).parent.parent) for module in (relet, msgspec))
APPLETS = ("sh", "sed", "cat", "env")


def image(folder: Path, namespaces_interface: str) -> Path:
    """A root folder as an initramfs would have it: what the hook copies, busybox, and the scripts."""
    root, tools = folder / "root", folder / "tools"
    tools.mkdir()
    (tools / "functions").write_text(FUNCTIONS)
    (tools / "hooks").mkdir()
    for name in ("hook", "relet-net-conf"):
        text = (EXAMPLE / name).read_text()
        target = tools / ("hooks/relet" if name == "hook" else name)
        target.write_text(text.replace("/usr/share/initramfs-tools/hook-functions", str(tools / "functions")))
        target.chmod(0o755)
    environment = os.environ | {"DESTDIR": str(root), "PYTHON": sys.executable, "PYTHONPATH": MODULES}
    subprocess.run([tools / "hooks" / "relet"], env=environment, check=True)
    for name in ("bin", "usr/bin", "proc", "run", "scripts", "dev"):
        (root / name).mkdir(parents=True, exist_ok=True)
    busybox = need("busybox")
    subprocess.run(["sh", "-c", f"{FUNCTIONS} copy_exec {busybox}"], env=environment, check=True)
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to(busybox)
    (root / "usr/bin/python3").symlink_to(Path(sys.executable).resolve())
    (root / "proc/cmdline").write_text(f"ro quiet relet={namespaces_interface}\n")
    (root / "dev/null").touch()
    (root / "scripts/functions").write_text('panic() { echo "panic: $*"; exit 1; }\n')
    (root / "scripts/relet").write_text((EXAMPLE / "premount").read_text())
    return root


def premount(here: Host, root: Path) -> Process:
    return here.lab.start(
        here.name, need("chroot"), root, "/bin/env", f"PYTHONPATH={MODULES}", "/bin/sh", "/scripts/relet"
    )


def read_by_a_shell(root: Path, *names: str) -> list[str]:
    """Values of these variables, to a script that has read the file."""
    script = ". /run/net-c0.conf; " + "; ".join(f'printf "%s\\n" "${name}"' for name in names)
    ran = subprocess.run(
        [need("chroot"), root, "/bin/sh", "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    return ran.stdout.splitlines()


def test_an_initramfs_gets_an_address_and_leaves_what_it_got(tmp_path: Path) -> None:
    root = image(tmp_path, "c0")
    options = (
        '{ domain-name = "example.org", domain-name-servers = ["192.168.1.1", "192.168.1.2"], root-path = "$ROOT" }'
    )
    attack = "1.1.1.1:/x'; touch /run/broken-out; '"
    said = office().replace('{ domain-name = "example.org" }', options.replace("$ROOT", attack))
    with host(configuration=said) as here:
        script = premount(here, root)
        assert script.wait() == 0
        assert here.lab.addresses(here.name, "c0") == ["192.168.1.100/24"]
    names = (
        "DEVICE",
        "PROTO",
        "IPV4ADDR",
        "IPV4NETMASK",
        "IPV4GATEWAY",
        "IPV4DNS0",
        "IPV4DNS1",
        "DNSDOMAIN",
        "ROOTPATH",
    )
    assert read_by_a_shell(root, *names) == [
        "c0", "dhcp", "192.168.1.100", "255.255.255.0", "192.168.1.1", "192.168.1.1", "192.168.1.2", "example.org", attack,
    ]  # fmt: skip
    assert not (root / "run" / "broken-out").exists()
    assert (root / "run" / "relet-c0.lease").is_file()


def test_without_an_interface_in_its_command_line_nothing_happens(tmp_path: Path) -> None:
    root = image(tmp_path, "")
    with host(served=False) as here:
        assert premount(here, root).wait() == 0
        assert here.lab.addresses(here.name, "c0") == []
    assert not list((root / "run").glob("net-*"))
