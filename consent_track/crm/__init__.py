"""Reaching the systems that got data: how a message is signed, and how a connection is kept from going astray."""
