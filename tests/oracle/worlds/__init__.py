"""The worlds by name. Each module has one, and says in its first line what it is about."""

from tests.oracle.worlds import (
    clashes,
    interface_objects,
    interfaces,
    keys,
    mutations,
    nulls,
    provides,
    requires,
    shared,
    unions,
)

WORLDS = {
    world.name: world
    for world in (
        interfaces.WORLD,
        unions.WORLD,
        requires.WORLD,
        interface_objects.WORLD,
        shared.WORLD,
        mutations.WORLD,
        keys.WORLD,
        provides.WORLD,
        nulls.WORLD,
        clashes.WORLD,
    )
}
