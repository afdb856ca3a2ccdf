"""One real cluster for all tests in this folder; each test uses a Kubernetes namespace of its own."""
import signal

import cluster as kubernetes
import pytest


@pytest.fixture(scope="session")
def cluster():
    # Whoever stops the tests politely has the cluster taken down; after a kill the next start does it.
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))
    with kubernetes.running() as k:
        yield k
    signal.signal(signal.SIGTERM, before)
