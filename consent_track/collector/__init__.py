"""The collector: answers pixels and links, and writes down what the people concerned allowed.

It knows tokens, choices and a spool; no address, no name, no table (Garante 284/2026 para. 6; IP-13).
"""
