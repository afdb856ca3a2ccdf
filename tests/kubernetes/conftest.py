"""One real cluster for all tests in this folder; each test uses a Kubernetes namespace of its own."""
import cluster as kubernetes
import pytest


@pytest.fixture(scope="session")
def cluster():
    with kubernetes.running() as k:
        yield k
