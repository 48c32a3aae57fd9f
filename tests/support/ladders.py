"""Ladders to draw: the stories that the diagram is made for, and one that tries to break it."""

from relet.lab.ladder import Aside, Host, Ladder, Packet, Role, Silence, State, Tone, Watcher

CLIENT = Host("laptop", Role.CLIENT, "02:00:00:00:00:01")
ALPHA = Host("alpha", Role.SERVER, "192.168.1.1")
BETA = Host("beta", Role.SERVER, "192.168.1.2")
GUEST = Host("guest", Role.SERVER, "10.7.0.1")
PRINTER = Host("printer", Role.HOST, "192.168.1.100")


def _allocation(ladder: Ladder) -> None:
    ladder.begin(
        "Allocation from nothing",
        "The client remembers no address. Both servers offer one; it takes the first offer.",
        (CLIENT, ALPHA, BETA),
    )
    ladder.add(State(0.0, "laptop", "INIT"))
    ladder.add(Packet(0.002, "laptop", "DHCPDISCOVER", detail="xid 0x3d1d2b01"))
    ladder.add(State(0.002, "laptop", "SELECTING"))
    ladder.add(Packet(0.004, "alpha", "DHCPOFFER", "laptop", "192.168.1.100 for 8 h", "new: the next free address"))
    ladder.add(Packet(0.005, "beta", "DHCPOFFER", "laptop", "192.168.1.200 for 8 h", "new: the next free address"))
    ladder.add(Packet(0.007, "laptop", "DHCPREQUEST", detail="192.168.1.100 from alpha"))
    ladder.add(State(0.007, "laptop", "REQUESTING"))
    ladder.add(Silence(0.008, "beta", "another server was chosen"))
    ladder.add(Packet(0.011, "alpha", "DHCPACK", "laptop", "192.168.1.100 for 8 h", "selected: on disk before this"))
    ladder.add(Packet(0.012, "laptop", "ARP probe", detail="who has 192.168.1.100?"))
    ladder.add(State(1.513, "laptop", "BOUND", "192.168.1.100"))


def _reboot(ladder: Ladder) -> None:
    ladder.begin(
        "The client reboots, and its lease is confirmed",
        "It asks whether it may go on using its address. The server that knows says yes; the other keeps silent.",
        (CLIENT, ALPHA, BETA),
    )
    ladder.add(Aside(0.0, "laptop", "power comes back"))
    ladder.add(State(0.1, "laptop", "INIT-REBOOT"))
    ladder.add(Packet(0.102, "laptop", "DHCPREQUEST", detail="192.168.1.100? xid 0x77aa0102"))
    ladder.add(State(0.102, "laptop", "REBOOTING"))
    ladder.add(Silence(0.103, "beta", "no-record: this server knows nothing of the client, so it may not say no"))
    ladder.add(
        Packet(0.105, "alpha", "DHCPACK", "laptop", "192.168.1.100 for 8 h", "confirmed: this client's own, unexpired")
    )
    ladder.add(State(0.106, "laptop", "BOUND", "192.168.1.100"))


def _moved(ladder: Ladder) -> None:
    ladder.begin(
        "It wakes up on another network",
        "The address it remembers is foreign here: a server may say no, because it is certain.",
        (CLIENT, GUEST),
    )
    ladder.add(State(0.0, "laptop", "INIT-REBOOT"))
    ladder.add(Packet(0.001, "laptop", "DHCPREQUEST", detail="192.168.1.100? xid 0x10203040"))
    ladder.add(State(0.001, "laptop", "REBOOTING"))
    ladder.add(
        Packet(0.003, "guest", "DHCPNAK", detail="broadcast", reason="wrong-network: not in any subnet of this link")
    )
    ladder.add(State(0.004, "laptop", "INIT"))
    ladder.add(Packet(0.006, "laptop", "DHCPDISCOVER", detail="xid 0x10203041"))
    ladder.add(State(0.006, "laptop", "SELECTING"))
    ladder.add(Packet(0.008, "guest", "DHCPOFFER", "laptop", "10.7.0.50 for 1 h"))
    ladder.add(Packet(0.010, "laptop", "DHCPREQUEST", detail="10.7.0.50 from guest"))
    ladder.add(State(0.010, "laptop", "REQUESTING"))
    ladder.add(Packet(0.013, "guest", "DHCPACK", "laptop", "10.7.0.50 for 1 h"))
    ladder.add(State(0.014, "laptop", "BOUND", "10.7.0.50"))


def _nobody(ladder: Ladder) -> None:
    ladder.begin(
        "Nobody answers",
        "It asks again, each time later, and after the reboot timeout falls back to INIT.",
        (CLIENT,),
    )
    ladder.add(State(0.0, "laptop", "INIT-REBOOT"))
    for at in (0.001, 3.6):
        ladder.add(Packet(at, "laptop", "DHCPREQUEST", detail="10.7.0.50? xid 0x55550001", lost=True))
        ladder.add(State(at, "laptop", "REBOOTING"))
    ladder.add(Aside(10.0, "laptop", "no answer for 10 s"))
    ladder.add(State(10.0, "laptop", "INIT"))


def _conflict(ladder: Ladder) -> None:
    ladder.begin(
        "Another host holds its address",
        "Before it uses the address it probes; somebody answers, so it declines and starts anew.",
        (CLIENT, ALPHA, PRINTER),
    )
    ladder.add(State(0.0, "laptop", "INIT-REBOOT"))
    ladder.add(Packet(0.001, "laptop", "DHCPREQUEST", detail="192.168.1.100? xid 0x600d0001"))
    ladder.add(State(0.001, "laptop", "REBOOTING"))
    ladder.add(Packet(0.004, "alpha", "DHCPACK", "laptop", "192.168.1.100 for 8 h", "confirmed"))
    ladder.add(Packet(0.005, "laptop", "ARP probe", detail="who has 192.168.1.100?"))
    ladder.add(Packet(0.006, "printer", "ARP reply", "laptop", "192.168.1.100 is at 02:00:00:00:00:63", tone=Tone.NO))
    ladder.add(Packet(0.007, "laptop", "DHCPDECLINE", "alpha", "192.168.1.100", "another host answered the probe"))
    ladder.add(State(0.007, "laptop", "INIT"))


def demo(*watchers: Watcher) -> Ladder:
    """The five scenes that `relet demo` plays, with invented times."""
    ladder = Ladder(watchers)
    for scene in (_allocation, _reboot, _moved, _nobody, _conflict):
        scene(ladder)
    return ladder


def hostile(*watchers: Watcher) -> Ladder:
    """Four hosts with long names, markup, control characters and words that no column can hold."""
    ladder = Ladder(watchers)
    hosts = tuple(Host(f'<host & "{n}"> of a long name', role, "x" * 90) for n, role in enumerate(Role))
    ladder.begin("<script>&'\"" * 20, "\x1b[31mred\x07 ]]> " + "wordwithoutend" * 30, hosts)
    names = [host.name for host in hosts]
    at = 0.0
    for source in names:
        for target in ("", *names):
            if target != source:
                ladder.add(
                    Packet(at, source, "<b>KIND</b> of some length", target, "d" * 70, "[red]why[/] & \x00so " * 9)
                )
                at += 0.0001
        ladder.add(State(at, source, "<STATE> of some length", "& more " * 9))
        ladder.add(Silence(at, source, "because \u202e of \x1b]0;title\x07 " * 5))
        ladder.add(Aside(at, source, "an aside without end " * 5))
        ladder.add(Packet(at + 12345.6, source, "DHCPREQUEST", names[0] if source != names[0] else "", lost=True))
    return ladder
