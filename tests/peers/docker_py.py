"""docker-py against the engine that DOCKER_HOST names: what its users do every day."""

import io
import os
import tarfile
import time
import unittest

import docker
from docker_py_case import CLIENT, PREFIX, DockerPyCase, name


class DockerPy(DockerPyCase):
    def test_version_and_info(self):
        self.assertTrue(CLIENT.ping())
        self.assertEqual(CLIENT.version()["Os"], "linux")
        self.assertIn("Containers", CLIENT.info())

    def test_run_returns_output(self):
        out = CLIENT.containers.run("busybox", ["echo", "hello"], remove=True)
        self.assertEqual(out, b"hello\n")

    def test_run_raises_container_error(self):
        with self.assertRaises(docker.errors.ContainerError) as caught:
            CLIENT.containers.run("busybox", ["sh", "-c", "echo no >&2; exit 3"], remove=True)
        self.assertEqual(caught.exception.exit_status, 3)

    def test_missing_image_raises_image_not_found(self):
        with self.assertRaises(docker.errors.ImageNotFound):
            CLIENT.images.get("absent:x")

    def test_lifecycle(self):
        container = self.sleeper(labels={"a": "b"})
        container.reload()
        self.assertEqual(container.status, "running")
        container.pause()
        container.unpause()
        container.restart(timeout=0)
        container.stop(timeout=0)
        self.assertEqual(container.wait()["StatusCode"], 137)
        container.rename(name())
        container.remove()
        with self.assertRaises(docker.errors.NotFound):
            container.reload()

    def test_logs_and_stream(self):
        container = CLIENT.containers.run("busybox", ["sh", "-c", "echo 1; echo 2 >&2; echo 3"], detach=True, name=name())
        container.wait()
        self.assertEqual(container.logs(stderr=False), b"1\n3\n")
        self.assertEqual(b"".join(container.logs(stream=True)).count(b"\n"), 3)

    def test_attach_stream(self):
        container = CLIENT.containers.create("busybox", ["sh", "-c", "for i in 1 2 3; do echo $i; done"], name=name())
        stream = container.attach(stream=True, logs=True)
        container.start()
        self.assertEqual(b"".join(stream), b"1\n2\n3\n")

    def test_attach_socket_with_terminal(self):
        container = CLIENT.containers.create("busybox", "cat", tty=True, stdin_open=True, name=name())
        socket = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        container.start()
        socket._sock.sendall(b"typed\n")
        seen = b""
        while seen.count(b"typed") < 2:
            seen += socket._sock.recv(1000)
        container.resize(40, 100)

    def test_exec(self):
        container = self.sleeper()
        result = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True)
        self.assertEqual((result.exit_code, result.output), (4, (b"out\n", b"err\n")))
        result = container.exec_run("id -un", user="www-data", environment={"A": "1"}, workdir="/tmp")
        self.assertEqual(result.output, b"www-data\n")
        self.assertEqual(b"".join(container.exec_run("seq 3", stream=True).output), b"1\n2\n3\n")

    def test_stats_and_top(self):
        container = self.sleeper(mem_limit="64m")
        document = container.stats(stream=False)
        if "BERTH_TEST_HOST" not in os.environ:  # dockerd leaves these out on hybrid cgroup trees
            self.assertGreater(document["cpu_stats"]["system_cpu_usage"], 0)
            self.assertEqual(document["memory_stats"]["limit"], 64 << 20)
        stream = container.stats(decode=True)
        self.assertEqual(next(stream)["name"], f"/{container.name}")
        self.assertEqual(container.top()["Processes"][0][-1], "sleep 1000")

    def test_update(self):
        container = self.sleeper(mem_limit="64m", memswap_limit="64m")
        container.update(mem_limit="96m", memswap_limit="96m", restart_policy={"Name": "on-failure", "MaximumRetryCount": 3})
        container.reload()
        self.assertEqual(container.attrs["HostConfig"]["Memory"], 96 << 20)

    def test_diff_commit_export(self):
        container = self.sleeper()
        container.exec_run("touch /made")
        self.assertIn({"Path": "/made", "Kind": 1}, container.diff())
        image = container.commit(repository=name(), tag="x", changes="ENV A=1")
        try:
            self.assertIn("A=1", image.attrs["Config"]["Env"])
            archive = tarfile.open(fileobj=io.BytesIO(b"".join(container.export())))
            self.assertIn("made", archive.getnames())
            saved = b"".join(image.save(named=True))
            self.assertEqual(CLIENT.images.load(saved)[0].id, image.id)
        finally:
            CLIENT.images.remove(image.id, force=True)

    def test_events(self):
        began = int(time.time()) - 1
        container = self.sleeper()
        container.remove(force=True)
        time.sleep(1.1)
        filters = {"container": container.id, "type": "container"}
        events = CLIENT.events(since=began, until=int(time.time()), filters=filters, decode=True)
        actions = [event["Action"] for event in events]
        self.assertEqual([a for a in actions if a in ("create", "start", "die", "destroy")], ["create", "start", "die", "destroy"])

    def test_images(self):
        image = CLIENT.images.get("busybox")
        self.assertIn("busybox:latest", image.tags)
        self.assertTrue(image.history())
        reference = name()
        self.assertTrue(image.tag(reference, "t"))
        self.assertIn(f"{reference}:t", [tag for i in CLIENT.images.list() for tag in i.tags])
        CLIENT.images.remove(f"{reference}:t")

    def test_volumes(self):
        volume = CLIENT.volumes.create(name(), labels={"a": "b"})
        try:
            self.assertEqual(CLIENT.volumes.get(volume.name).attrs, volume.attrs)
            self.assertIn(volume, CLIENT.volumes.list(filters={"label": "a=b"}))
            binds = {volume.name: {"bind": "/x", "mode": "rw"}}
            CLIENT.containers.run("busybox", ["sh", "-c", "echo kept >/x/f"], volumes=binds, remove=True)
            mount = docker.types.Mount("/y", volume.name, read_only=True)
            script = "cat /y/f; touch /y/g 2>/dev/null || echo refused"
            out = CLIENT.containers.run("busybox", ["sh", "-c", script], mounts=[mount], remove=True)
            self.assertEqual(out, b"kept\nrefused\n")
            holder = CLIENT.containers.create("busybox", "true", name=name(), mounts=[mount])
            with self.assertRaises(docker.errors.APIError) as caught:
                volume.remove(force=True)
            self.assertEqual(caught.exception.status_code, 409)
            sharer = CLIENT.containers.create("busybox", "true", name=name(), volumes_from=[f"{holder.name}:ro"])
            self.assertEqual([m["Name"] for m in sharer.attrs["Mounts"]], [volume.name])
            holder.remove()
            sharer.remove()
        finally:
            volume.remove()
        with self.assertRaises(docker.errors.NotFound):
            CLIENT.volumes.get(volume.name)
        anonymous = CLIENT.volumes.create(labels={"by": PREFIX})
        pruned = CLIENT.volumes.prune({"label": [f"by={PREFIX}"]})
        self.assertEqual((pruned["VolumesDeleted"], pruned["SpaceReclaimed"]), ([anonymous.name], 0))

    def test_tmpfs_mount(self):
        mount = docker.types.Mount("/t", None, type="tmpfs", tmpfs_size="1m", tmpfs_mode=0o700)
        out = CLIENT.containers.run("busybox", ["sh", "-c", "stat -c %a /t; df -k /t | tail -1"], mounts=[mount], remove=True)
        self.assertRegex(out, rb"^700\n.* 1024 ")

    def test_healthcheck_and_limits_in_inspect(self):
        test = {"test": ["CMD", "true"], "interval": 200_000_000}
        container = self.sleeper(healthcheck=test, pids_limit=40, cap_add=["NET_ADMIN"], read_only=True)
        for _ in range(100):
            container.reload()
            if container.attrs["State"]["Health"]["Status"] == "healthy":
                break
            time.sleep(0.05)
        self.assertEqual(container.attrs["State"]["Health"]["Status"], "healthy")
        host = container.attrs["HostConfig"]
        self.assertEqual((host["PidsLimit"], host["CapAdd"], host["ReadonlyRootfs"]), (40, ["NET_ADMIN"], True))


if __name__ == "__main__":
    unittest.main()
