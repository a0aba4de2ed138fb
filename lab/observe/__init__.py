"""What the kernel shows: conntrack entries, rules, packets, tables; and what was expected of them.

Everything here is pure: text and bytes in, frozen values and mismatches out.
"""
