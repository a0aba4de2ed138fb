/*
 * star_floor - how fast the kernel can make a star of N hosts: the floor under any engine.
 *
 * The network: a switch namespace with one bridge; N host namespaces, each with lo and eth0 up, an
 * address 10.x.y.z/8, a default route through 10.0.0.1 and a veth pair to the bridge. No IPv6
 * link-local addresses, no multicast snooping, no iptables on bridged frames. Names, indexes and
 * MAC addresses are those of lab's own plan for such a star, so that both ask for the same.
 *
 * The method: a host is one unshare(2), one netlink socket, one send(2); first come all namespaces,
 * then all that is in them, which is 2 % faster than host by host. The switch's ports follow in
 * batches. No message asks for an acknowledgement: the kernel handles a send to a NETLINK_ROUTE
 * socket before the call returns, and only errors are answered, so that a non-blocking recv(2)
 * which finds nothing means that every message of the batch succeeded. Last, each host is asked
 * whether its interface carries frames: it drops them until the kernel's link watch has been at it.
 *
 * Needs CAP_SYS_ADMIN and CAP_NET_ADMIN over the network namespace that it is started in:
 *
 *     unshare --map-root-user --net star_floor 1000
 *
 * Prints {"hosts": N, "setup_s": S, "teardown_s": S, "errors": N}; set-up ends when every host can
 * send, teardown when the last descriptor is closed (the kernel then destroys the namespaces by
 * itself). Exits with 1 if anything failed. With --in NODE COMMAND it measures nothing: it has
 * sh(1) run COMMAND in the switch (NODE 0) or in a host (from 1), and fails if that does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A bridge takes 1023 ports: BR_MAX_PORTS - 1 in net/bridge/br_private.h. */
enum { MAX_HOSTS = 1023 };
enum { PORTS_PER_BATCH = 64 };

/* Interface indexes, chosen so that nothing ever has to be looked up. */
enum { LOOPBACK_INDEX = 1, ETH0_INDEX = 2, BRIDGE_INDEX = 2, FIRST_PORT_INDEX = 3 };
/* Nodes as MAC addresses count them. */
enum { SWITCH_NODE = 1, FIRST_HOST_NODE = 2 };

enum { GATEWAY = 0x0a000001, FIRST_ADDRESS = 0x0a000002, PREFIX_LENGTH = 8 };

static void die(const char *what)
{
    fprintf(stderr, "star_floor: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static double monotonic_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- Netlink messages ------------------------------------------------------------------- */

/* Messages that go to the kernel in one send; `message` is where the last of them begins. */
struct batch {
    size_t length;
    size_t message;
    _Alignas(NLMSG_ALIGNTO) unsigned char bytes[16384];
};

static void append(struct batch *batch, const void *bytes, size_t size)
{
    size_t padded = NLMSG_ALIGN(size);

    if (batch->length + padded > sizeof batch->bytes) {
        errno = ENOBUFS;
        die("netlink batch");
    }
    memcpy(batch->bytes + batch->length, bytes, size);
    memset(batch->bytes + batch->length + size, 0, padded - size);
    batch->length += padded;
}

static void begin_message(struct batch *batch, uint16_t type, uint16_t flags,
                          const void *family_header, size_t size)
{
    struct nlmsghdr header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };

    batch->message = batch->length;
    append(batch, &header, sizeof header);
    append(batch, family_header, size);
}

static void end_message(struct batch *batch)
{
    struct nlmsghdr *header = (struct nlmsghdr *)(batch->bytes + batch->message);

    header->nlmsg_len = (uint32_t)(batch->length - batch->message);
}

static void add_attribute(struct batch *batch, uint16_t type, const void *value, size_t size)
{
    struct rtattr attribute = { .rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(size) };

    append(batch, &attribute, sizeof attribute);
    append(batch, value, size);
}

static void add_u32(struct batch *batch, uint16_t type, uint32_t value)
{
    add_attribute(batch, type, &value, sizeof value);
}

static void add_string(struct batch *batch, uint16_t type, const char *value)
{
    add_attribute(batch, type, value, strlen(value) + 1);
}

static size_t begin_nest(struct batch *batch, uint16_t type)
{
    struct rtattr attribute = { .rta_type = type };
    size_t start = batch->length;

    append(batch, &attribute, sizeof attribute);
    return start;
}

static void end_nest(struct batch *batch, size_t start)
{
    struct rtattr *attribute = (struct rtattr *)(batch->bytes + start);

    attribute->rta_len = (uint16_t)(batch->length - start);
}

static int open_route_socket(void)
{
    int one = 1;
    int socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (socket_fd < 0)
        die("socket(NETLINK_ROUTE)");
    /* An error then quotes only the header of the message that failed. */
    if (setsockopt(socket_fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one) < 0)
        die("setsockopt(NETLINK_CAP_ACK)");
    return socket_fd;
}

/* Prints each error in an answer of `size` bytes and returns how many there were. */
static int report_errors(unsigned char *answer, ssize_t size, const char *where)
{
    int errors = 0;
    struct nlmsghdr *header = (struct nlmsghdr *)answer;

    for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
        const struct nlmsgerr *error = NLMSG_DATA(header);

        if (header->nlmsg_type != NLMSG_ERROR || error->error == 0)
            continue;
        fprintf(stderr, "star_floor: %s: message of type %d: %s\n", where, error->msg.nlmsg_type,
                strerror(-error->error));
        errors++;
    }
    return errors;
}

/* Sends the batch, empties it, and returns how many of its messages the kernel refused. */
static int send_batch(int socket_fd, struct batch *batch, const char *where)
{
    _Alignas(NLMSG_ALIGNTO) unsigned char answer[8192];
    int errors = 0;
    ssize_t size;

    if (batch->length == 0)
        return 0;
    if (send(socket_fd, batch->bytes, batch->length, 0) < 0)
        die(where);
    batch->length = 0;
    while ((size = recv(socket_fd, answer, sizeof answer, MSG_DONTWAIT)) >= 0)
        errors += report_errors(answer, size, where);
    if (errno != EAGAIN)
        die(where);
    return errors;
}

/* ---- Links ------------------------------------------------------------------------------ */

static void begin_link(struct batch *batch, uint16_t flags, int index, bool up)
{
    struct ifinfomsg link = {
        .ifi_index = index,
        .ifi_flags = up ? IFF_UP : 0,
        .ifi_change = up ? IFF_UP : 0,
    };

    begin_message(batch, RTM_NEWLINK, flags, &link, sizeof link);
}

static void set_link_up(struct batch *batch, int index)
{
    begin_link(batch, 0, index, true);
    end_message(batch);
}

static void set_master_and_up(struct batch *batch, int index, int master)
{
    begin_link(batch, 0, index, true);
    add_u32(batch, IFLA_MASTER, (uint32_t)master);
    end_message(batch);
}

/* Has to reach the kernel before the link has a carrier, which is when addresses are made. */
static void set_no_ipv6_link_local(struct batch *batch, int index)
{
    const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
    size_t spec, family;

    begin_link(batch, 0, index, false);
    spec = begin_nest(batch, IFLA_AF_SPEC);
    family = begin_nest(batch, AF_INET6);
    add_attribute(batch, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    end_nest(batch, family);
    end_nest(batch, spec);
    end_message(batch);
}

/* A queue for each CPU is the default, and allocating it the larger part of a veth's cost. */
static void add_single_queues(struct batch *batch)
{
    add_u32(batch, IFLA_NUM_TX_QUEUES, 1);
    add_u32(batch, IFLA_NUM_RX_QUEUES, 1);
}

struct end {
    int index;
    const char *name;
    int node;
};

/* A locally administered address that tells node and interface. */
static void add_identity(struct batch *batch, struct end end)
{
    const uint8_t mac[6] = { 0x02,     0x00, (uint8_t)(end.node >> 8), (uint8_t)end.node,
                             (uint8_t)(end.index >> 8), (uint8_t)end.index };

    add_string(batch, IFLA_IFNAME, end.name);
    add_attribute(batch, IFLA_ADDRESS, mac, sizeof mac);
}

/* This end is up; the peer lands, down, in the namespace `peer_namespace`. */
static void create_veth(struct batch *batch, struct end end, struct end peer, int peer_namespace)
{
    const struct ifinfomsg peer_link = { .ifi_index = peer.index };
    size_t link_info, veth_data, peer_info;

    begin_link(batch, NLM_F_CREATE | NLM_F_EXCL, end.index, true);
    add_identity(batch, end);
    add_single_queues(batch);
    link_info = begin_nest(batch, IFLA_LINKINFO);
    add_string(batch, IFLA_INFO_KIND, "veth");
    veth_data = begin_nest(batch, IFLA_INFO_DATA);
    peer_info = begin_nest(batch, VETH_INFO_PEER);
    append(batch, &peer_link, sizeof peer_link);
    add_identity(batch, peer);
    add_u32(batch, IFLA_NET_NS_FD, (uint32_t)peer_namespace);
    add_single_queues(batch);
    end_nest(batch, peer_info);
    end_nest(batch, veth_data);
    end_nest(batch, link_info);
    end_message(batch);
}

static void create_bridge(struct batch *batch)
{
    const uint8_t off = 0;
    size_t link_info, bridge_data;

    begin_link(batch, NLM_F_CREATE | NLM_F_EXCL, BRIDGE_INDEX, true);
    add_identity(batch, (struct end){ BRIDGE_INDEX, "br0", SWITCH_NODE });
    link_info = begin_nest(batch, IFLA_LINKINFO);
    add_string(batch, IFLA_INFO_KIND, "bridge");
    bridge_data = begin_nest(batch, IFLA_INFO_DATA);
    add_attribute(batch, IFLA_BR_MCAST_SNOOPING, &off, sizeof off);
    end_nest(batch, bridge_data);
    end_nest(batch, link_info);
    end_message(batch);
}

/* Since Linux 6.8 asking has the link watch look at the link first. */
static bool is_operational(int socket_fd, struct batch *batch, int index)
{
    const struct ifinfomsg link = { .ifi_index = index };
    _Alignas(NLMSG_ALIGNTO) unsigned char answer[8192];
    const struct nlmsghdr *header = (struct nlmsghdr *)answer;
    ssize_t size;
    int left;

    begin_message(batch, RTM_GETLINK, 0, &link, sizeof link);
    add_u32(batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    end_message(batch);
    if (send(socket_fd, batch->bytes, batch->length, 0) < 0)
        die("send RTM_GETLINK");
    batch->length = 0;
    size = recv(socket_fd, answer, sizeof answer, 0);
    if (size < 0)
        die("receive RTM_NEWLINK");
    if (!NLMSG_OK(header, size) || header->nlmsg_type != RTM_NEWLINK)
        return false;
    left = IFLA_PAYLOAD(header);
    for (struct rtattr *attribute = IFLA_RTA(NLMSG_DATA(header)); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type == IFLA_OPERSTATE)
            return *(unsigned char *)RTA_DATA(attribute) == IF_OPER_UP;
    }
    return false;
}

/* ---- The star --------------------------------------------------------------------------- */

struct star {
    int hosts;
    int *host_namespaces;
    int *host_sockets;
    int switch_namespace;
    int switch_socket;
    int home_namespace;
    int errors;
    struct batch batch;
};

static int current_namespace(void)
{
    int namespace_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    if (namespace_fd < 0)
        die("/proc/thread-self/ns/net");
    return namespace_fd;
}

static void enter_namespace(int namespace_fd)
{
    if (setns(namespace_fd, CLONE_NEWNET) < 0)
        die("setns");
}

static int enter_new_namespace(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        die("unshare(CLONE_NEWNET)");
    return current_namespace();
}

/* Without br_netfilter these files do not exist, and bridged frames meet no iptables anyway. */
static void keep_iptables_off_bridged_frames(void)
{
    static const char *const sysctls[] = {
        "/proc/sys/net/bridge/bridge-nf-call-iptables",
        "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
        "/proc/sys/net/bridge/bridge-nf-call-arptables",
    };

    for (size_t i = 0; i < sizeof sysctls / sizeof sysctls[0]; i++) {
        int file = open(sysctls[i], O_WRONLY | O_CLOEXEC);

        if (file < 0 && errno == ENOENT)
            continue;
        if (file < 0 || write(file, "0", 1) != 1)
            die(sysctls[i]);
        close(file);
    }
}

static void make_switch(struct star *star)
{
    star->switch_namespace = enter_new_namespace();
    star->switch_socket = open_route_socket();
    keep_iptables_off_bridged_frames();
    set_link_up(&star->batch, LOOPBACK_INDEX);
    create_bridge(&star->batch);
    set_no_ipv6_link_local(&star->batch, BRIDGE_INDEX);
    star->errors += send_batch(star->switch_socket, &star->batch, "the switch's bridge");
}

/* eth0 stays without carrier until the switch's end is up. */
static void add_eth0(struct batch *batch, int host, int switch_namespace)
{
    char port[IFNAMSIZ];

    snprintf(port, sizeof port, "p%d", host + 1);
    create_veth(batch, (struct end){ ETH0_INDEX, "eth0", FIRST_HOST_NODE + host },
                (struct end){ FIRST_PORT_INDEX + host, port, SWITCH_NODE }, switch_namespace);
    set_no_ipv6_link_local(batch, ETH0_INDEX);
}

static void add_address(struct batch *batch, uint32_t address)
{
    const struct ifaddrmsg header = {
        .ifa_family = AF_INET,
        .ifa_prefixlen = PREFIX_LENGTH,
        .ifa_scope = RT_SCOPE_UNIVERSE,
        .ifa_index = ETH0_INDEX,
    };

    begin_message(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    add_u32(batch, IFA_LOCAL, address);
    add_u32(batch, IFA_ADDRESS, address);
    end_message(batch);
}

static void add_default_route(struct batch *batch)
{
    const struct rtmsg header = {
        .rtm_family = AF_INET,
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = RTPROT_BOOT,
        .rtm_scope = RT_SCOPE_UNIVERSE,
        .rtm_type = RTN_UNICAST,
    };

    begin_message(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    add_u32(batch, RTA_GATEWAY, htonl(GATEWAY));
    end_message(batch);
}

static void make_host(struct star *star, int host)
{
    star->host_namespaces[host] = enter_new_namespace();
    star->host_sockets[host] = open_route_socket();
}

static void furnish_host(struct star *star, int host)
{
    char where[32];

    set_link_up(&star->batch, LOOPBACK_INDEX);
    add_eth0(&star->batch, host, star->switch_namespace);
    add_address(&star->batch, htonl((uint32_t)(FIRST_ADDRESS + host)));
    add_default_route(&star->batch);
    snprintf(where, sizeof where, "host %d", host);
    star->errors += send_batch(star->host_sockets[host], &star->batch, where);
}

static void plug_ports(struct star *star)
{
    for (int host = 0; host < star->hosts; host++) {
        set_no_ipv6_link_local(&star->batch, FIRST_PORT_INDEX + host);
        set_master_and_up(&star->batch, FIRST_PORT_INDEX + host, BRIDGE_INDEX);
        if ((host + 1) % PORTS_PER_BATCH == 0)
            star->errors += send_batch(star->switch_socket, &star->batch, "the switch's ports");
    }
    star->errors += send_batch(star->switch_socket, &star->batch, "the switch's ports");
}

static void await_carriers(struct star *star)
{
    const struct timespec nap = { .tv_nsec = 1000000 };

    for (int host = 0; host < star->hosts; host++) {
        while (!is_operational(star->host_sockets[host], &star->batch, ETH0_INDEX))
            nanosleep(&nap, NULL);
    }
}

/* An open socket would keep its namespace alive. */
static void close_sockets(struct star *star)
{
    for (int host = 0; host < star->hosts; host++)
        close(star->host_sockets[host]);
    close(star->switch_socket);
}

static void set_up(struct star *star)
{
    make_switch(star);
    for (int host = 0; host < star->hosts; host++)
        make_host(star, host);
    for (int host = 0; host < star->hosts; host++)
        furnish_host(star, host);
    plug_ports(star);
    await_carriers(star);
    close_sockets(star);
    enter_namespace(star->home_namespace);
}

static void tear_down(struct star *star)
{
    for (int host = 0; host < star->hosts; host++)
        close(star->host_namespaces[host]);
    close(star->switch_namespace);
}

/* ---- The command ------------------------------------------------------------------------ */

/* A host costs two descriptors; the soft limit is often 1024. */
static void raise_descriptor_limit(int hosts)
{
    const rlim_t needed = 2 * (rlim_t)hosts + 16;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("getrlimit(RLIMIT_NOFILE)");
    if (limit.rlim_max < needed) {
        fprintf(stderr, "star_floor: %d hosts need %llu descriptors, the hard limit is %llu\n",
                hosts, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
        exit(EXIT_FAILURE);
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("setrlimit(RLIMIT_NOFILE)");
}

static void measure(struct star *star)
{
    double started, up, down;

    started = monotonic_seconds();
    set_up(star);
    up = monotonic_seconds();
    tear_down(star);
    down = monotonic_seconds();
    printf("{\"hosts\": %d, \"setup_s\": %.6f, \"teardown_s\": %.6f, \"errors\": %d}\n",
           star->hosts, up - started, down - up, star->errors);
}

/* True if `command` succeeds in the switch (node 0) or in a host (from 1). */
static bool run_in(struct star *star, int node, const char *command)
{
    bool succeeded;

    set_up(star);
    enter_namespace(node == 0 ? star->switch_namespace : star->host_namespaces[node - 1]);
    succeeded = system(command) == 0;
    enter_namespace(star->home_namespace);
    tear_down(star);
    return succeeded;
}

static int parse_number(const char *text, int least, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < least || number > most) {
        fprintf(stderr, "star_floor: %s: not a number from %d to %d\n", text, least, most);
        exit(2);
    }
    return (int)number;
}

int main(int argc, char **argv)
{
    static struct star star;
    bool running = argc == 5 && strcmp(argv[1], "--in") == 0;
    bool succeeded = true;

    if (argc != 2 && !running) {
        fprintf(stderr, "usage: star_floor [--in NODE COMMAND] HOSTS\n");
        return 2;
    }
    star.hosts = parse_number(argv[argc - 1], 1, MAX_HOSTS);
    raise_descriptor_limit(star.hosts);
    star.host_namespaces = calloc((size_t)star.hosts, sizeof *star.host_namespaces);
    star.host_sockets = calloc((size_t)star.hosts, sizeof *star.host_sockets);
    if (!star.host_namespaces || !star.host_sockets)
        die("calloc");
    star.home_namespace = current_namespace();
    if (running)
        succeeded = run_in(&star, parse_number(argv[2], 0, star.hosts), argv[3]);
    else
        measure(&star);
    close(star.home_namespace);
    free(star.host_sockets);
    free(star.host_namespaces);
    return succeeded && star.errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
