"""Linux: sockets, netlink and the clock. Moves octets and asks the kernel; decides nothing, and holds no loop."""
