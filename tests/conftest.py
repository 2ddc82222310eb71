"""Property tests draw the same examples on every run, and take the time they need."""

from hypothesis import settings

settings.register_profile("same_every_run", derandomize=True, deadline=None)
settings.load_profile("same_every_run")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden documents anew instead of comparing"
    )
