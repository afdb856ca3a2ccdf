"""Manifests of the workloads that the tests run: small shells that talk to the internet, each to a destination of its own."""

CLIENT = "registry.example/tools/client:2.4"


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def every(seconds, url):
    """Asks for `url` again and again; says on standard output when."""
    # `wget -T` of the static busybox ends with a segmentation fault.
    return f"while :; do date +%s; timeout 5 wget -q -O /dev/null {url} || echo failed; sleep {seconds}; done"


def once_then_wait(url, otherwise):
    """Asks its own endpoint when it starts, and another when that does not answer: until one answer, as a new node may have no names yet."""
    return f"date +%s; timeout 5 wget -q -O /dev/null {url} || until timeout 5 wget -q -O /dev/null {otherwise}; do sleep 1; done; while :; do sleep 3600 & wait $!; done"


def pod_spec(script, image=CLIENT, **more):
    # A shell that is process 1 ends at once when it is told to, instead of after the grace period.
    return {"containers": [{"name": "main", "image": image, "command": ["sh", "-c", "trap 'exit 0' TERM; " + script],
                            "resources": {"requests": {"cpu": "1m", "memory": "4Mi"}}}], "terminationGracePeriodSeconds": 2, **more}


def template(name, spec):
    return {"metadata": {"labels": {"app": name}}, "spec": spec}


def workload(kind, space, name, spec, annotations=None, **more):
    """A Deployment, StatefulSet or DaemonSet."""
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": space, "labels": {"app": name}, "annotations": annotations or {}},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template(name, spec), **more}}


def job(space, name, spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": space},
            "spec": {"backoffLimit": 0, "template": template(name, {**spec, "restartPolicy": "Never"})}}


def cron_job(space, name, schedule, spec):
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": space},
            "spec": {"schedule": schedule, "jobTemplate": {"spec": job(space, name, spec)["spec"]}}}
