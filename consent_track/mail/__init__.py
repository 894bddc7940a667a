"""Reading and editing mail: bytes in, offsets out, and only the stretch that changes is ever written anew."""
