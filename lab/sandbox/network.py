"""The lab's network: a namespace for each node, and the plan applied to them."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lab.kernel import netlink, rtnetlink, sysctl
from lab.kernel.carrier import await_operational
from lab.kernel.namespaces import Namespace, hold, inside_net, setns, unshare
from lab.model.errors import Broken
from lab.plan.operations import AddVeth, Batch, Plan, Setting, describe
from lab.plan.planner import LOOPBACK_INDEX
from lab.plan.wire import encode
from lab.sandbox import baseline

# far more than the kernel takes, on any machine that can run a lab at all
_CARRIER_SECONDS = 5.0


class Network:
    """The network namespaces of a lab, each held by a descriptor.

    All methods are for the thread that made it: it alone moves between network namespaces. Its
    own namespace, which belongs to no node, gets its loopback interface up.
    """

    def __init__(self) -> None:
        self._home = hold(Namespace.NET)
        with netlink.route_socket() as channel:
            netlink.send_batch(channel, [rtnetlink.set_up(LOOPBACK_INDEX)])
        self._namespaces: dict[str, int] = {}

    @property
    def namespaces(self) -> Mapping[str, int]:
        """Each node's network namespace, by descriptor."""
        return self._namespaces

    def build(self, plan: Plan) -> None:
        """Make the nodes' namespaces and apply the plan; Broken names node and interface.

        A route socket opened right after unshare(2) stays bound to the new namespace, so the
        batches are sent without entering any of them again.
        """
        channels: dict[str, socket.socket] = {}
        try:
            self._make_namespaces(plan, channels)
            self._apply(plan.batches, channels)
            _await_carriers(plan.batches, channels)
        finally:
            # an open route socket would keep its namespace alive
            for channel in channels.values():
                channel.close()
        for node, settings in _by_node(plan.after).items():
            with self.inside(node):
                for setting in settings:
                    _write(setting)

    def _make_namespaces(self, plan: Plan, channels: dict[str, socket.socket]) -> None:
        """Make the nodes' namespaces with their first settings, and open a route socket in each."""
        before = _by_node(plan.before)
        corrections: tuple[tuple[str, str], ...] | None = None
        try:
            for node in plan.nodes:
                unshare(Namespace.NET)
                self._namespaces[node] = hold(Namespace.NET)
                channels[node] = netlink.route_socket()
                if corrections is None:
                    corrections = baseline.corrections(baseline.snapshot())
                for key, value in corrections:
                    _write(Setting(node, key, value))
                for setting in before.get(node, ()):
                    _write(setting)
        finally:
            setns(self._home, Namespace.NET)

    def _apply(self, batches: Sequence[Batch], channels: Mapping[str, socket.socket]) -> None:
        """Send the batches, in their order, all encoded before the first.

        After a send the processor's caches are the kernel's: encoding each batch just before it
        is sent takes twice as long.
        """
        namespace_of = self._namespaces.__getitem__
        encoded = [
            [encode(operation, namespace_of) for operation in batch.operations] for batch in batches
        ]
        for batch, messages in zip(batches, encoded, strict=True):
            refusals = netlink.send_batch(channels[batch.node], messages)
            if refusals:
                raise Broken(_refused(batch, refusals))

    @contextmanager
    def inside(self, node: str) -> Iterator[None]:
        """Have this thread in a node's network namespace for a while."""
        with inside_net(self._namespaces[node], self._home):
            yield

    def close(self) -> None:
        """Let go of the namespaces; the kernel destroys them in its own time."""
        for descriptor in (*self._namespaces.values(), self._home):
            os.close(descriptor)
        self._namespaces.clear()


def _by_node(settings: tuple[Setting, ...]) -> dict[str, list[Setting]]:
    grouped: dict[str, list[Setting]] = {}
    for setting in settings:
        grouped.setdefault(setting.node, []).append(setting)
    return grouped


def _write(setting: Setting) -> None:
    try:
        sysctl.write(setting.key, setting.value)
    except OSError as error:
        if error.errno == errno.ENOENT and setting.key.startswith("net.bridge."):
            # without br_netfilter no bridge passes frames through iptables anyway
            return
        what = error.strerror or str(error)
        raise Broken(f"{setting.node}: cannot set {setting.key}={setting.value}: {what}") from error


def _await_carriers(batches: Sequence[Batch], channels: Mapping[str, socket.socket]) -> None:
    """Wait until every cable carries frames: its end that was set up first is late to know."""
    for batch in batches:
        for operation in batch.operations:
            if not isinstance(operation, AddVeth):
                continue
            if not await_operational(channels[batch.node], operation.index, _CARRIER_SECONDS):
                raise Broken(f"{batch.node}: {operation.name} got no carrier")


def _refused(batch: Batch, refusals: Sequence[netlink.Refusal]) -> str:
    return "\n".join(
        f"{batch.node}: cannot {describe(batch.operations[refusal.position])}: {refusal}"
        for refusal in refusals
    )
