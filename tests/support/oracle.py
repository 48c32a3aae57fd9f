"""scapy, an implementation that nobody here wrote, imported without its warnings about the machine it runs on."""

import logging
import warnings

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dhcp import BOOTP, DHCP, DHCPRevOptions
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
    from scapy.packet import Raw

__all__ = ["ARP", "BOOTP", "DHCP", "DHCPRevOptions", "Dot1AD", "Dot1Q", "Ether", "IP", "Raw", "UDP"]
