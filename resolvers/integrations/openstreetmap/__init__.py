"""OpenStreetMap files as city objects: `import_osm` reads one and upserts what it finds, by source identifier.

The modules: `importer` runs the import, `reader` gives features with their geometry, `dropped` says why others are missing,
`attributes` maps tags, `values` reads their text.
"""

from resolvers.integrations.openstreetmap.importer import SOURCE, import_osm

__all__ = ["SOURCE", "import_osm"]
