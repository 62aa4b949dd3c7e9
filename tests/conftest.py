"""What pytest must know of all tests; the markers are in pytest.ini."""


def pytest_collection_modifyitems(items):
    """The fault matrix first: it is one long piece of work, for one worker."""
    for item in items:
        for name in ("no_asan", "no_tsan", "by_name"):
            mark = item.get_closest_marker(name)
            assert not mark or mark.args, "%s: %s needs a reason" % (item.nodeid, name)
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
