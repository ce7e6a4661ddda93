"""What the docker-py suites share: a client, names of their own, and the removal of what they made."""

import os
import unittest

import docker

CLIENT = docker.from_env()
PREFIX = f"btpy-{os.getpid()}-"
COUNT = 0


def name():
    global COUNT
    COUNT += 1
    return f"{PREFIX}{COUNT}"


class DockerPyCase(unittest.TestCase):
    def tearDown(self):
        for container in CLIENT.containers.list(all=True, filters={"name": PREFIX}):
            container.remove(force=True, v=True)

    def sleeper(self, **options):
        return CLIENT.containers.run("busybox", "sleep 1000", detach=True, name=name(), **options)
