"""The tables: one noun in each file, with its Holding, its columns and its queries. Rows do not leave this ring.

Importing the package imports every file in it, so that the data map is complete and nobody keeps a list of tables.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    if not _module.ispkg:
        import_module(f"{__name__}.{_module.name}")
