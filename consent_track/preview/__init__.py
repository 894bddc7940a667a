"""Every footer, mail and page that recipients can meet, with invented people, side by side by locale.

`stage` plays a temporary installation with the operator's own settings and words, `rows` is the one table of what there
is to see, `sheets` makes files of it, `serving` shows them on this machine. Real templates, real renderer, no copies.
"""
