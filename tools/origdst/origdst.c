/*
 * origdst: a server that tells each client which addresses its connection has
 * at this end, the one before NAT (SO_ORIGINAL_DST) among them.
 *
 *   source{ip: A, port: P}; dest{ip: A, port: P}; original dest{ip: A, port: P}
 *
 * One process and one epoll loop; nothing in it waits for a client or for
 * whoever reads the log. The order of what follows: addresses, options,
 * event loop, log, what was seen, TCP, UDP, listening, main.
 */
#define _GNU_SOURCE /* accept4, O_PATH, struct in_pktinfo and in6_pktinfo */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Both from the kernel's headers (linux/netfilter_ipv4.h and
 * linux/netfilter_ipv6/ip6_tables.h), which do not mix with netinet/in.h on
 * every libc. */
#define SO_ORIGINAL_DST 80
#define IP6T_SO_ORIGINAL_DST 80

#define VERSION "1.0"

/* How long an answered client may take to close its side. */
#ifndef LINGER_SECONDS
#define LINGER_SECONDS 30
#endif
/* How many bytes of log wait for a reader that has fallen behind. */
#ifndef LOG_BACKLOG
#define LOG_BACKLOG (1 << 20)
#endif

enum {
    ANSWER_MAX = 512,     /* three addresses of at most 45 characters, or one strerror text */
    NAME_MAX_BYTES = 255, /* of --name; a byte takes at most six in JSON */
    LINE_MAX_BYTES = ANSWER_MAX + 6 * NAME_MAX_BYTES,
    LOSS_MAX = 64,        /* the line that counts lost lines */
    BATCH = 64,           /* accepts or datagrams in a row before the others get their turn */
    RETRY_MS = 100,       /* until accepting is tried again when nothing of ours was closed */
    PORT_ATTEMPTS = 100,  /* to find a port that is free in both IPv4 and IPv6 */
};

/* ---- addresses ---------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t address_size(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static uint16_t port_of(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
                                                    : address->v4.sin_port);
}

static void set_port(union address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

static union address any_address(int family)
{
    union address address;

    memset(&address, 0, sizeof address);
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET6)
        address.v6.sin6_addr = in6addr_any;
    return address;
}

struct ip_text {
    char text[INET6_ADDRSTRLEN];
};

static struct ip_text ip_of(const union address *address)
{
    struct ip_text ip = {""};

    if (address->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &address->v6.sin6_addr, ip.text, sizeof ip.text);
    else
        inet_ntop(AF_INET, &address->v4.sin_addr, ip.text, sizeof ip.text);
    return ip;
}

/* ---- options ------------------------------------------------------------ */

struct ports {
    uint16_t *list; /* has room for every argument */
    size_t count;
};

struct options {
    struct ports tcp, udp;
    union address bind; /* AF_UNSPEC: every address of both families */
    bool hold, json;
    const char *name;
};

static const char help[] =
    "usage: origdst [--tcp PORT]... [--udp PORT]... [--bind ADDR] [--hold] [--json]\n"
    "               [--name NAME] [PORT...]\n"
    "\n"
    "Answers every TCP connection and UDP datagram with the addresses that it has here:\n"
    "source{ip: A, port: P}; dest{ip: A, port: P}; original dest{ip: A, port: P}\n"
    "The last group is what SO_ORIGINAL_DST says, or its error.\n"
    "\n"
    "  PORT, --tcp PORT  listen on this TCP port; 0 lets the kernel choose\n"
    "  --udp PORT        listen on this UDP port\n"
    "  --bind ADDR       listen on this IPv4 or IPv6 address only\n"
    "  --hold            keep each connection open until the client closes it\n"
    "  --json            log on stdout as JSON lines instead of text\n"
    "  --name NAME       the name that the JSON lines carry\n"
    "  --help, --version\n";

__attribute__((format(printf, 1, 2))) static _Noreturn void bad_usage(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("origdst: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\ntry 'origdst --help'\n", stderr);
    va_end(arguments);
    exit(2);
}

static _Noreturn void cannot(const char *what)
{
    fprintf(stderr, "origdst: cannot %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        cannot("allocate memory");
    return memory;
}

static void add_port(struct ports *ports, const char *proto, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long port = digits > 0 && digits <= 5 && text[digits] == '\0' ? strtol(text, NULL, 10) : -1;

    if (port < 0 || port > UINT16_MAX)
        bad_usage("bad port '%s': a port is a number from 0 to 65535", text);
    for (size_t i = 0; i < ports->count; i++)
        if (port != 0 && ports->list[i] == port)
            bad_usage("%s port %ld is given twice", proto, port);
    ports->list[ports->count++] = (uint16_t)port;
}

/* getaddrinfo rather than inet_pton: it also reads the scope of fe80::1%eth0. */
static union address numeric_address(const char *text)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    union address address;

    if (getaddrinfo(text, NULL, &hints, &found) != 0)
        bad_usage("bad address '%s': --bind takes a numeric IPv4 or IPv6 address", text);
    memset(&address, 0, sizeof address);
    memcpy(&address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return address;
}

static const char *checked_name(const char *name)
{
    if (strlen(name) > NAME_MAX_BYTES)
        bad_usage("--name takes at most %d bytes", NAME_MAX_BYTES);
    return name;
}

enum option_id { TCP = 256, UDP, BIND, HOLD, JSON, NAME, HELP, SHOW_VERSION };

static const struct option long_options[] = {
    {"tcp", required_argument, NULL, TCP},   {"udp", required_argument, NULL, UDP},
    {"bind", required_argument, NULL, BIND}, {"hold", no_argument, NULL, HOLD},
    {"json", no_argument, NULL, JSON},       {"name", required_argument, NULL, NAME},
    {"help", no_argument, NULL, HELP},       {"version", no_argument, NULL, SHOW_VERSION},
    {NULL, 0, NULL, 0},
};

static _Noreturn void print_and_exit(const char *text)
{
    exit(fputs(text, stdout) == EOF || fflush(stdout) == EOF);
}

/* getopt_long says what it met in optopt: 0 for an unknown long option, the
 * letter of an unknown short one, our own id for a known one misused. */
static _Noreturn void bad_option(int found, char **argv)
{
    const char *given = argv[optind - 1];

    if (found == ':')
        bad_usage("option '%s' needs a value", given);
    if (optopt >= TCP)
        bad_usage("option '%s' takes no value", given);
    if (optopt != 0)
        bad_usage("unknown option '-%c'", optopt);
    bad_usage("unknown option '%s'", given);
}

static void apply_option(struct options *options, int found, char **argv)
{
    switch (found) {
    case TCP: add_port(&options->tcp, "tcp", optarg); break;
    case UDP: add_port(&options->udp, "udp", optarg); break;
    case BIND: options->bind = numeric_address(optarg); break;
    case HOLD: options->hold = true; break;
    case JSON: options->json = true; break;
    case NAME: options->name = checked_name(optarg); break;
    case HELP: print_and_exit(help);
    case SHOW_VERSION: print_and_exit("origdst " VERSION "\n");
    default: bad_option(found, argv);
    }
}

static void parse_options(struct options *options, int argc, char **argv)
{
    int found;

    options->bind = any_address(AF_UNSPEC);
    options->name = "";
    options->tcp.list = allocate((size_t)argc + 1, sizeof *options->tcp.list);
    options->udp.list = allocate((size_t)argc + 1, sizeof *options->udp.list);
    while ((found = getopt_long(argc, argv, ":", long_options, NULL)) != -1)
        apply_option(options, found, argv);
    for (int i = optind; i < argc; i++)
        add_port(&options->tcp, "tcp", argv[i]);
    if (options->tcp.count + options->udp.count == 0)
        bad_usage("no port given");
}

/* ---- event loop --------------------------------------------------------- */

struct server;

/* A file descriptor that epoll watches, and what to do when it is ready.
 * First member of whatever it belongs to. */
struct watch {
    int fd;
    void (*ready)(struct server *server, struct watch *watch);
};

struct listener {
    struct watch watch;
    int type; /* SOCK_STREAM or SOCK_DGRAM */
    struct listener *next;
};

struct client {
    struct watch watch;
    struct client *previous, *next; /* by age, so that the head times out first */
    int64_t deadline;               /* on CLOCK_MONOTONIC in ms */
    uint32_t interest;              /* the epoll events asked for */
    bool eof;                       /* the client has closed its side */
    size_t sent, length;
    char answer[ANSWER_MAX];
};

struct log {
    struct watch watch;
    unsigned long lost; /* lines that found no room since that was last said */
    size_t pending;
    char backlog[LOG_BACKLOG];
};

struct server {
    struct options options;
    char json_name[6 * NAME_MAX_BYTES + 1];
    int epoll;
    bool running, accepting;
    struct listener *listeners;
    struct client *oldest, *newest;
    struct log log;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool watch_for(struct server *server, int operation, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    return epoll_ctl(server->epoll, operation, watch->fd, &event) == 0;
}

/* Without a free file descriptor accept4 fails and epoll would report the
 * listener at once again. New connections wait in the backlog meanwhile. */
static void set_accepting(struct server *server, bool accepting)
{
    if (server->accepting == accepting)
        return;
    server->accepting = accepting;
    for (struct listener *l = server->listeners; l != NULL; l = l->next)
        if (l->type == SOCK_STREAM)
            watch_for(server, EPOLL_CTL_MOD, &l->watch, accepting ? EPOLLIN : 0);
}

static void on_signal(struct server *server, struct watch *watch)
{
    (void)watch;
    server->running = false;
}

/* ---- log: one line for each thing seen ---------------------------------- */

/* A full pipe must not stop the service, but O_NONBLOCK on stdout would be
 * felt by everyone who shares its open file description. A pipe opened anew
 * is a description of our own; for anything else poll(2) says beforehand
 * whether write(2) would wait. */
static int log_descriptor(void)
{
    struct stat status;

    if (fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode)) {
        int own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);

        if (own >= 0)
            return own;
    }
    return STDOUT_FILENO;
}

/* Returns the bytes written, 0 if stdout takes none now, -1 if it never will. */
static ssize_t log_write(const struct log *log, const char *text, size_t length)
{
    struct pollfd out = {.fd = log->watch.fd, .events = POLLOUT};
    ssize_t written;

    if (poll(&out, 1, 0) == 0)
        return 0;
    written = write(log->watch.fd, text, length);
    return written < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : written;
}

/* Writes the line now or keeps it for later; says whether there was room. */
static bool log_put(struct server *server, const char *line, size_t length)
{
    struct log *log = &server->log;
    ssize_t written = log->pending == 0 ? log_write(log, line, length) : 0;
    size_t rest;

    if (written < 0)
        return false;
    rest = length - (size_t)written;
    if (rest == 0)
        return true;
    if (rest > sizeof log->backlog - log->pending)
        return false;
    if (log->pending == 0 && !watch_for(server, EPOLL_CTL_ADD, &log->watch, EPOLLOUT))
        return false;
    memcpy(log->backlog + log->pending, line + written, rest);
    log->pending += rest;
    return true;
}

/* Tells of a gap in the log where it is; says whether none is left untold. */
static bool log_loss(struct server *server)
{
    char line[LOSS_MAX];
    int length;

    if (server->log.lost == 0)
        return true;
    length = snprintf(line, sizeof line,
                      server->options.json ? "{\"event\":\"lost\",\"lines\":%lu}\n"
                                           : "lost %lu lines\n",
                      server->log.lost);
    if (!log_put(server, line, (size_t)length))
        return false;
    server->log.lost = 0;
    return true;
}

/* A gap ends when there is room for the word of it and for the line after it. */
static void log_line(struct server *server, const char *line, size_t length)
{
    size_t room = sizeof server->log.backlog - server->log.pending;
    bool gap_ends = room >= LOSS_MAX + length && log_loss(server);

    if ((server->log.lost > 0 && !gap_ends) || !log_put(server, line, length))
        server->log.lost++;
}

/* Writes what waits, line by line; a line that cannot be written is lost. */
static void log_flush(struct server *server, struct watch *watch)
{
    struct log *log = &server->log;
    size_t done = 0;

    while (done < log->pending) {
        const char *line = log->backlog + done;
        const char *end = memchr(line, '\n', log->pending - done);
        size_t length = (size_t)(end - line) + 1;
        ssize_t written = log_write(log, line, length);

        if (written == 0)
            break;
        log->lost += written < 0;
        done += written < 0 ? length : (size_t)written;
    }
    log->pending -= done;
    memmove(log->backlog, log->backlog + done, log->pending);
    if (log->pending == 0 && done > 0) {
        epoll_ctl(server->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
        log_loss(server);
    }
}

/* out has room for six bytes per byte of text, and one more. */
static void json_escape(char *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < 0x20) {
            out += sprintf(out, "\\u%04x", byte);
            continue;
        }
        if (byte == '"' || byte == '\\')
            *out++ = '\\';
        *out++ = *text;
    }
    *out = '\0';
}

static void join_ports(FILE *out, const char *before, const struct ports *ports,
                       const char *between)
{
    for (size_t i = 0; i < ports->count; i++)
        fprintf(out, "%s%u", i == 0 ? before : between, ports->list[i]);
}

/* The one line whose length depends on the command line. */
static void log_ready(struct server *server)
{
    const struct options *options = &server->options;
    char *line;
    size_t length;
    FILE *out = open_memstream(&line, &length);

    if (out == NULL)
        cannot("allocate memory");
    if (options->json) {
        fprintf(out, "{\"event\":\"ready\",\"name\":\"%s\",\"tcp\":[", server->json_name);
        join_ports(out, "", &options->tcp, ",");
        fputs("],\"udp\":[", out);
        join_ports(out, "", &options->udp, ",");
        fputs("]}\n", out);
    } else {
        fputs("ready", out);
        join_ports(out, " tcp ", &options->tcp, " ");
        join_ports(out, " udp ", &options->udp, " ");
        fputs("\n", out);
    }
    if (fclose(out) != 0)
        cannot("allocate memory");
    log_line(server, line, length);
    free(line);
}

/* ---- what was seen of a connection or datagram -------------------------- */

struct sighting {
    const char *proto;
    union address source, dest, original;
    int original_errno; /* 0: original holds an address */
};

/* Conntrack's memory of where the client connected to, before DNAT or REDIRECT. */
static void find_original(struct sighting *seen, int fd)
{
    bool v6 = seen->dest.any.sa_family == AF_INET6;
    socklen_t size = sizeof seen->original;

    memset(&seen->original, 0, sizeof seen->original);
    seen->original_errno = getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                      v6 ? IP6T_SO_ORIGINAL_DST : SO_ORIGINAL_DST,
                                      &seen->original, &size) == 0 ? 0 : errno;
}

static size_t clamp(int printed, size_t size)
{
    return printed < 0 ? 0 : (size_t)printed < size ? (size_t)printed : size - 1;
}

/* The line that goes over the wire; out holds ANSWER_MAX bytes. */
static size_t format_answer(char *out, const struct sighting *seen)
{
    size_t length = clamp(snprintf(out, ANSWER_MAX,
                                   "source{ip: %s, port: %u}; dest{ip: %s, port: %u}; ",
                                   ip_of(&seen->source).text, port_of(&seen->source),
                                   ip_of(&seen->dest).text, port_of(&seen->dest)), ANSWER_MAX);
    char *rest = out + length;
    size_t room = ANSWER_MAX - length;

    if (seen->original_errno != 0)
        return length + clamp(snprintf(rest, room, "original dest{strerror: %s, errno: %d}\n",
                                       strerror(seen->original_errno), seen->original_errno),
                              room);
    return length + clamp(snprintf(rest, room, "original dest{ip: %s, port: %u}\n",
                                   ip_of(&seen->original).text, port_of(&seen->original)), room);
}

static size_t format_json(char *out, const struct sighting *seen, const char *json_name)
{
    size_t length = clamp(snprintf(out, LINE_MAX_BYTES,
                                   "{\"event\":\"connection\",\"proto\":\"%s\",\"name\":\"%s\","
                                   "\"source\":{\"ip\":\"%s\",\"port\":%u},"
                                   "\"dest\":{\"ip\":\"%s\",\"port\":%u},",
                                   seen->proto, json_name,
                                   ip_of(&seen->source).text, port_of(&seen->source),
                                   ip_of(&seen->dest).text, port_of(&seen->dest)),
                          LINE_MAX_BYTES);
    char *rest = out + length;
    size_t room = LINE_MAX_BYTES - length;

    if (seen->original_errno != 0)
        return length + clamp(snprintf(rest, room,
                                       "\"original_error\":{\"strerror\":\"%s\",\"errno\":%d}}\n",
                                       strerror(seen->original_errno), seen->original_errno),
                              room);
    return length + clamp(snprintf(rest, room, "\"original\":{\"ip\":\"%s\",\"port\":%u}}\n",
                                   ip_of(&seen->original).text, port_of(&seen->original)), room);
}

static void log_sighting(struct server *server, const struct sighting *seen, const char *answer)
{
    char line[LINE_MAX_BYTES];
    size_t length;

    if (server->options.json)
        length = format_json(line, seen, server->json_name);
    else
        length = clamp(snprintf(line, sizeof line, "%s %s", seen->proto, answer), sizeof line);
    log_line(server, line, length);
}

/* ---- TCP ---------------------------------------------------------------- */

static void drop_client(struct server *server, struct client *client)
{
    *(client->previous != NULL ? &client->previous->next : &server->oldest) = client->next;
    *(client->next != NULL ? &client->next->previous : &server->newest) = client->previous;
    close(client->watch.fd);
    free(client);
    set_accepting(server, true);
}

static void drop_overdue_clients(struct server *server)
{
    int64_t now;

    if (server->options.hold || server->oldest == NULL)
        return;
    now = now_ms();
    while (server->oldest != NULL && server->oldest->deadline <= now)
        drop_client(server, server->oldest);
}

/* Both return false when the connection is broken. */
static bool send_answer(const struct server *server, struct client *client)
{
    while (client->sent < client->length) {
        ssize_t sent = send(client->watch.fd, client->answer + client->sent,
                            client->length - client->sent, MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        client->sent += (size_t)sent;
        if (client->sent == client->length && !server->options.hold)
            shutdown(client->watch.fd, SHUT_WR);
    }
    return true;
}

/* Reads and forgets what the client says: to close a socket with unread data
 * is to send a RST, and a RST can overtake the answer. */
static bool discard_input(struct client *client)
{
    char ignored[16384];
    ssize_t got;

    if (client->eof)
        return true;
    got = recv(client->watch.fd, ignored, sizeof ignored, 0);
    client->eof = got == 0;
    return got >= 0 || errno == EAGAIN || errno == EINTR;
}

static void serve_client(struct server *server, struct watch *watch)
{
    struct client *client = (struct client *)watch;
    bool healthy = send_answer(server, client) && discard_input(client);
    bool answered = client->sent == client->length;
    uint32_t interest = (client->eof ? 0 : EPOLLIN) | (answered ? 0 : EPOLLOUT);

    if (!healthy || (answered && client->eof)) {
        drop_client(server, client);
        return;
    }
    if (interest != client->interest)
        watch_for(server, EPOLL_CTL_MOD, watch, interest);
    client->interest = interest;
}

static struct client *add_client(struct server *server, int fd)
{
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return NULL;
    client->watch = (struct watch){fd, serve_client};
    client->deadline = now_ms() + (int64_t)LINGER_SECONDS * 1000;
    client->interest = EPOLLIN;
    if (!watch_for(server, EPOLL_CTL_ADD, &client->watch, client->interest)) {
        free(client);
        return NULL;
    }
    client->previous = server->newest;
    *(server->newest != NULL ? &server->newest->next : &server->oldest) = client;
    server->newest = client;
    return client;
}

/* The log comes first: whoever has the answer can find the line. */
static void greet_client(struct server *server, int fd, struct sighting *seen)
{
    struct client *client = add_client(server, fd);
    char answer[ANSWER_MAX];
    size_t length = format_answer(answer, seen);

    log_sighting(server, seen, answer);
    if (client == NULL) {
        close(fd);
        return;
    }
    memcpy(client->answer, answer, length);
    client->length = length;
    serve_client(server, &client->watch);
}

static void accept_clients(struct server *server, struct watch *watch)
{
    for (int i = 0; i < BATCH; i++) {
        struct sighting seen = {.proto = "tcp"};
        /* What getpeername would say, which fails once the client has sent a RST. */
        socklen_t source_size = sizeof seen.source, dest_size = sizeof seen.dest;
        int fd = accept4(watch->fd, &seen.source.any, &source_size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                set_accepting(server, false);
            return;
        }
        getsockname(fd, &seen.dest.any, &dest_size);
        find_original(&seen, fd);
        greet_client(server, fd, &seen);
    }
}

/* ---- UDP ---------------------------------------------------------------- */

/* One IP_PKTINFO or IPV6_PKTINFO: where a datagram went to, or is to come from. */
union control {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Takes the IPv4 destination out of the control message and turns that into
 * the source of the reply: the kernel heeds ipi_spec_dst, which is ipi_addr
 * unless the datagram was a broadcast. Without ipi_ifindex routing chooses the
 * way back. ip(7). */
static void turn_around_v4(struct cmsghdr *control, union address *dest)
{
    struct in_pktinfo pktinfo;

    memcpy(&pktinfo, CMSG_DATA(control), sizeof pktinfo);
    dest->v4.sin_addr = pktinfo.ipi_addr;
    pktinfo.ipi_ifindex = 0;
    memcpy(CMSG_DATA(control), &pktinfo, sizeof pktinfo);
}

/* The same for IPv6, where only a link-local address needs its interface and a
 * multicast address cannot be a source. RFC 3542, 6.1 and 6.2. */
static void turn_around_v6(struct cmsghdr *control, union address *dest)
{
    struct in6_pktinfo pktinfo;

    memcpy(&pktinfo, CMSG_DATA(control), sizeof pktinfo);
    dest->v6.sin6_addr = pktinfo.ipi6_addr;
    if (IN6_IS_ADDR_MULTICAST(&pktinfo.ipi6_addr))
        pktinfo.ipi6_addr = in6addr_any;
    else if (!IN6_IS_ADDR_LINKLOCAL(&pktinfo.ipi6_addr))
        pktinfo.ipi6_ifindex = 0;
    memcpy(CMSG_DATA(control), &pktinfo, sizeof pktinfo);
}

/* The port is the socket's, the address the datagram's own. */
static void find_datagram_dest(struct sighting *seen, int fd, struct msghdr *message)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    socklen_t size = sizeof seen->dest;

    getsockname(fd, &seen->dest.any, &size);
    if (control != NULL && control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO)
        turn_around_v4(control, &seen->dest);
    if (control != NULL && control->cmsg_level == IPPROTO_IPV6
        && control->cmsg_type == IPV6_PKTINFO)
        turn_around_v6(control, &seen->dest);
}

/* False when no datagram is left. A reply that cannot be sent is lost, as UDP may. */
static bool answer_datagram(struct server *server, int fd)
{
    struct sighting seen = {.proto = "udp"};
    union control control;
    char text[ANSWER_MAX]; /* what came in does not matter, what goes out overwrites it */
    struct iovec payload = {.iov_base = text, .iov_len = sizeof text};
    struct msghdr message = {
        .msg_name = &seen.source, .msg_namelen = sizeof seen.source,
        .msg_iov = &payload, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof control,
    };

    if (recvmsg(fd, &message, 0) < 0)
        return false;
    find_datagram_dest(&seen, fd, &message);
    find_original(&seen, fd);
    payload.iov_len = format_answer(text, &seen);
    log_sighting(server, &seen, text);
    sendmsg(fd, &message, MSG_NOSIGNAL);
    return true;
}

static void answer_datagrams(struct server *server, struct watch *watch)
{
    for (int i = 0; i < BATCH && answer_datagram(server, watch->fd); i++)
        continue;
}

/* ---- listening ---------------------------------------------------------- */

static bool switch_on(int fd, int level, int option)
{
    return setsockopt(fd, level, option, &(int){1}, sizeof(int)) == 0;
}

/* No SO_REUSEADDR for UDP, where it would let two servers share a port unnoticed. */
static bool prepare_socket(int fd, int type, int family)
{
    if (family == AF_INET6 && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        return false;
    if (type == SOCK_STREAM)
        return switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
    return family == AF_INET6 ? switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
                              : switch_on(fd, IPPROTO_IP, IP_PKTINFO);
}

/* Returns the listening socket, or -1 with errno set. */
static int open_socket(int type, const union address *address)
{
    int family = address->any.sa_family;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int reason;

    if (fd < 0)
        return -1;
    if (prepare_socket(fd, type, family) && bind(fd, &address->any, address_size(address)) == 0
        && (type == SOCK_DGRAM || listen(fd, SOMAXCONN) == 0))
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static uint16_t bound_port(int fd)
{
    union address address = any_address(AF_INET);
    socklen_t size = sizeof address;

    getsockname(fd, &address.any, &size);
    return port_of(&address);
}

static void add_listener(struct server *server, int type, int fd)
{
    struct listener *listener = allocate(1, sizeof *listener);

    listener->watch = (struct watch){fd, type == SOCK_STREAM ? accept_clients : answer_datagrams};
    listener->type = type;
    listener->next = server->listeners;
    server->listeners = listener;
    if (!watch_for(server, EPOLL_CTL_ADD, &listener->watch, EPOLLIN))
        cannot("watch a socket");
}

static bool no_ipv6(int reason)
{
    return reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL;
}

/* Listens on every IPv4 and IPv6 address, on one and the same port. False with
 * errno set when either family refuses; IPv6 may be absent. */
static bool listen_everywhere(struct server *server, int type, uint16_t *port)
{
    union address v4 = any_address(AF_INET), v6 = any_address(AF_INET6);
    int fd4, fd6, reason;

    set_port(&v4, *port);
    fd4 = open_socket(type, &v4);
    if (fd4 < 0)
        return false;
    set_port(&v6, bound_port(fd4));
    fd6 = open_socket(type, &v6);
    reason = errno;
    if (fd6 < 0 && !no_ipv6(reason)) {
        close(fd4);
        errno = reason;
        return false;
    }
    *port = port_of(&v6);
    add_listener(server, type, fd4);
    if (fd6 >= 0)
        add_listener(server, type, fd6);
    return true;
}

static bool listen_on_address(struct server *server, int type, uint16_t *port)
{
    union address address = server->options.bind;
    int fd;

    set_port(&address, *port);
    fd = open_socket(type, &address);
    if (fd < 0)
        return false;
    *port = bound_port(fd);
    add_listener(server, type, fd);
    return true;
}

/* Port 0 becomes the port that the kernel chose. It chooses for IPv4 alone, so
 * that the same port may be taken in IPv6: then the next choice is tried. */
static void listen_on_port(struct server *server, int type, uint16_t *port)
{
    bool everywhere = server->options.bind.any.sa_family == AF_UNSPEC;
    int attempts = *port == 0 ? PORT_ATTEMPTS : 1;

    while (attempts-- > 0) {
        if (everywhere ? listen_everywhere(server, type, port)
                       : listen_on_address(server, type, port))
            return;
        if (errno != EADDRINUSE)
            break;
    }
    fprintf(stderr, "origdst: cannot listen on %s port %u: %s\n",
            type == SOCK_STREAM ? "tcp" : "udp", *port, strerror(errno));
    exit(1);
}

static void listen_on_ports(struct server *server, int type, struct ports *ports)
{
    for (size_t i = 0; i < ports->count; i++)
        listen_on_port(server, type, &ports->list[i]);
}

/* ---- main --------------------------------------------------------------- */

/* Whoever closed stdout before starting us must not find our log in the first
 * socket that gets its number. To write to an O_PATH descriptor fails. */
static void occupy_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH) < 0)
            cannot("open /");
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_signals(void)
{
    sigset_t ending;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    return signalfd(-1, &ending, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* How long epoll may wait: to the oldest client's deadline, and not long while
 * accepting is off, since what was short may be free again without our doing. */
static int patience(const struct server *server)
{
    int64_t wait = -1;

    if (server->oldest != NULL && !server->options.hold) {
        wait = server->oldest->deadline - now_ms();
        wait = wait < 0 ? 0 : wait;
    }
    if (!server->accepting && (wait < 0 || wait > RETRY_MS))
        wait = RETRY_MS;
    return (int)wait;
}

static void serve(struct server *server)
{
    struct epoll_event events[BATCH];

    while (server->running) {
        int count = epoll_wait(server->epoll, events, BATCH, patience(server));

        for (int i = 0; i < count; i++) {
            struct watch *watch = events[i].data.ptr;

            watch->ready(server, watch);
        }
        if (count == 0)
            set_accepting(server, true);
        drop_overdue_clients(server);
    }
}

static void close_server(struct server *server)
{
    while (server->oldest != NULL)
        drop_client(server, server->oldest);
    log_flush(server, &server->log.watch);
    while (server->listeners != NULL) {
        struct listener *listener = server->listeners;

        server->listeners = listener->next;
        close(listener->watch.fd);
        free(listener);
    }
    free(server->options.tcp.list);
    free(server->options.udp.list);
}

int main(int argc, char **argv)
{
    static struct server server; /* a megabyte of backlog is no matter for the stack */
    struct watch signals = {.ready = on_signal};

    occupy_standard_descriptors();
    parse_options(&server.options, argc, argv);
    json_escape(server.json_name, server.options.name);
    raise_descriptor_limit();
    server.running = server.accepting = true;
    server.log.watch = (struct watch){log_descriptor(), log_flush};
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    signals.fd = open_signals();
    if (server.epoll < 0 || signals.fd < 0
        || !watch_for(&server, EPOLL_CTL_ADD, &signals, EPOLLIN))
        cannot("start");
    listen_on_ports(&server, SOCK_STREAM, &server.options.tcp);
    listen_on_ports(&server, SOCK_DGRAM, &server.options.udp);
    log_ready(&server);
    serve(&server);
    close_server(&server);
    return 0;
}
