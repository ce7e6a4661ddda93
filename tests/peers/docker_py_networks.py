"""docker-py's networks against the engine that DOCKER_HOST names."""

import unittest

import docker
from docker.types import IPAMConfig, IPAMPool
from docker_py_case import CLIENT, PREFIX, DockerPyCase, name


class DockerPyNetworks(DockerPyCase):
    def tearDown(self):
        super().tearDown()
        for network in CLIENT.networks.list(filters={"name": PREFIX}):
            network.remove()

    def test_create_shows_what_was_asked_for(self):
        pool = IPAMPool(subnet="10.77.0.0/24", gateway="10.77.0.254", iprange="10.77.0.128/25", aux_addresses={"a": "10.77.0.7"})
        network = CLIENT.networks.create(
            name(),
            driver="bridge",
            options={"com.docker.network.driver.mtu": "1400"},
            ipam=IPAMConfig(pool_configs=[pool]),
            labels={"by": PREFIX},
            attachable=True,
        )
        network.reload()
        attrs = network.attrs
        self.assertEqual((attrs["Driver"], attrs["Scope"], attrs["Attachable"], attrs["Internal"]), ("bridge", "local", True, False))
        self.assertEqual(attrs["Options"], {"com.docker.network.driver.mtu": "1400"})
        self.assertEqual(attrs["Labels"], {"by": PREFIX})
        self.assertEqual(
            attrs["IPAM"]["Config"],
            [{"Subnet": "10.77.0.0/24", "IPRange": "10.77.0.128/25", "Gateway": "10.77.0.254", "AuxiliaryAddresses": {"a": "10.77.0.7"}}],
        )
        self.assertEqual([one.id for one in CLIENT.networks.list(filters={"label": f"by={PREFIX}"})], [network.id])
        self.assertEqual(CLIENT.networks.get(network.name).id, network.id)
        self.assertEqual([one.id for one in CLIENT.networks.list(ids=[network.id])], [network.id])

    def test_connect_and_disconnect(self):
        one, two = CLIENT.networks.create(name()), CLIENT.networks.create(name(), ipam=IPAMConfig(pool_configs=[IPAMPool("10.78.0.0/24")]))
        web, client = self.sleeper(network=one.name), self.sleeper(network=two.name)
        two.connect(web, aliases=["www"], ipv4_address="10.78.0.40")
        web.reload()
        endpoint = web.attrs["NetworkSettings"]["Networks"][two.name]
        self.assertEqual((endpoint["IPAddress"], endpoint["IPAMConfig"]), ("10.78.0.40", {"IPv4Address": "10.78.0.40"}))
        self.assertIn("www", endpoint["Aliases"])
        two.reload()
        self.assertEqual({one.id for one in two.containers}, {web.id, client.id})
        self.assertEqual(client.exec_run("ping -c1 -W2 www").exit_code, 0)
        with self.assertRaises(docker.errors.APIError) as caught:
            two.connect(web)
        self.assertEqual(caught.exception.status_code, 403)
        two.disconnect(web)
        two.reload()
        self.assertEqual([one.id for one in two.containers], [client.id])
        self.assertNotEqual(client.exec_run("ping -c1 -W1 www").exit_code, 0)

    def test_endpoint_config_at_create(self):
        network = CLIENT.networks.create(name(), ipam=IPAMConfig(pool_configs=[IPAMPool("10.79.0.0/24")]))
        api = CLIENT.api
        config = api.create_endpoint_config(aliases=["a1"], ipv4_address="10.79.0.9")
        made = api.create_container(
            "busybox",
            "sleep 1000",
            name=name(),
            networking_config=api.create_networking_config({network.name: config}),
            host_config=api.create_host_config(network_mode=network.name),
        )
        api.start(made)
        shown = api.inspect_container(made)["NetworkSettings"]["Networks"][network.name]
        self.assertEqual(shown["IPAddress"], "10.79.0.9")
        self.assertEqual(api.inspect_network(network.id)["Containers"][made["Id"]]["IPv4Address"], "10.79.0.9/24")

    def test_errors(self):
        network = CLIENT.networks.create(name())
        holder = self.sleeper(network=network.name)
        for status, work in [
            (403, network.remove),
            (404, lambda: CLIENT.networks.get(PREFIX + "nobody")),
            (409, lambda: CLIENT.networks.create(network.name, check_duplicate=True)),
            (404, lambda: CLIENT.networks.create(name(), driver="no-such-driver")),
            (403, lambda: CLIENT.networks.create("host")),
            (400, lambda: CLIENT.networks.create(name(), ipam=IPAMConfig(pool_configs=[IPAMPool("10.80.0.0/33")]))),
        ]:
            with self.assertRaises(docker.errors.APIError) as caught:
                work()
            self.assertEqual(caught.exception.status_code, status, str(caught.exception))
        network.disconnect(holder, force=True)

    def test_published_ports(self):
        web = self.sleeper(ports={"80/tcp": ("127.0.0.1", 18041), "53/udp": 18042, "81/tcp": None})
        web.reload()
        self.assertEqual(web.ports["80/tcp"], [{"HostIp": "127.0.0.1", "HostPort": "18041"}])
        self.assertEqual(web.ports["53/udp"][0], {"HostIp": "0.0.0.0", "HostPort": "18042"})
        self.assertTrue(int(web.ports["81/tcp"][0]["HostPort"]) > 0)
        with self.assertRaisesRegex(docker.errors.APIError, "port is already allocated"):
            self.sleeper(ports={"80/tcp": ("127.0.0.1", 18041)})

    def test_internal_and_prune(self):
        inner = CLIENT.networks.create(name(), internal=True, enable_ipv6=True, labels={"prune": PREFIX})
        inner.reload()
        self.assertEqual((inner.attrs["Internal"], inner.attrs["EnableIPv6"]), (True, True))
        pruned = CLIENT.networks.prune({"label": [f"prune={PREFIX}"]})
        self.assertEqual(pruned["NetworksDeleted"], [inner.name])

    def test_links_and_network_modes(self):
        db = self.sleeper()
        linked = CLIENT.containers.run("busybox", ["sh", "-c", "ping -c1 -W2 data && env"], links={db.name: "data"}, remove=True)
        self.assertIn(b"DATA_NAME=/", linked)
        shared = CLIENT.containers.run("busybox", "ip -o address show eth0", network_mode=f"container:{db.id}", remove=True)
        db.reload()
        self.assertIn(db.attrs["NetworkSettings"]["IPAddress"].encode(), shared)
        self.assertNotIn(b"eth0", CLIENT.containers.run("busybox", "ip link", network_mode="none", remove=True))


if __name__ == "__main__":
    unittest.main()
