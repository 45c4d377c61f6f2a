from scenarios.stack.ports import Ports


def test_documented_ports() -> None:
    assert Ports().by_part() == {
        "gateway": 8000,
        "console": 8080,
        "temporal": 7233,
        "temporal_ui": 8233,
        "azurite": 10000,
        "image_manipulator": 8005,
        "birefnet": 8006,
        "sam3": 8007,
        "a100": 8008,
        "blob": 10010,
    }
    controls = {"image_manipulator": 18005, "birefnet": 18006, "sam3": 18007, "a100": 18008}
    assert Ports().controls == controls | {"blob": 20010}


def test_free_ports_are_each_another() -> None:
    ports = Ports.free()
    chosen = [*ports.by_part().values(), *ports.controls.values()]
    assert len(set(chosen)) == len(chosen)
    assert not set(chosen) & {*Ports().by_part().values(), *Ports().controls.values()}
