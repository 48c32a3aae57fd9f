/* replay: prepared DHCP requests at a server, in a closed loop or paced, from a relay's address.
 *
 *   replay FILE -l RELAY_IP -s SERVER_IP [-w WINDOW] [-r RATE] [-t SECONDS] [-e SECONDS] [-k TYPE] [-o FILE]
 *
 * FILE holds records: length of the datagram (2 octets), the address expected in its answer (4, zero for any), the datagram; all in
 * network order. The transaction ids are set here: the number of the record, from 1 on.
 * -w requests outstanding at most (64); -r requests a second instead, whatever is outstanding; -t gives up after so many
 * seconds (60); -e sends again what is unanswered for so long (1), at most 8 times, or until the end if it is under 0.5;
 * -k message type of the wanted answer (5, ACK); -o writes the address of each answer.
 * Latency counts from the first sending, with -r from the moment it was due. Prints one line of key=value figures.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, TRIES = 8, LONGEST = 1500 };
typedef struct { uint8_t *octets; uint16_t length; uint8_t tries, done; uint32_t expected, given; double first, sent; } Request;
static Request *requests;
static uint32_t count;
static int fd;
static struct sockaddr_in server;
static uint64_t sent, again;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }

static struct iovec out[BATCH];
static struct mmsghdr outgoing[BATCH];
static int waiting;

static void flush_out(void) {
    for (int off = 0; off < waiting;) {
        int k = sendmmsg(fd, outgoing + off, waiting - off, 0);
        if (k > 0) { off += k; continue; }
        if (errno == ECONNREFUSED) continue; /* nobody listens yet; the error is of an earlier datagram */
        if (errno != EAGAIN && errno != ENOBUFS) { perror("sendmmsg"); exit(1); }
        struct pollfd p = {fd, POLLOUT, 0};
        poll(&p, 1, 1);
    }
    sent += waiting;
    waiting = 0;
}

static void emit(Request *r, double t) {
    out[waiting] = (struct iovec){r->octets, r->length};
    outgoing[waiting].msg_hdr = (struct msghdr){.msg_iov = &out[waiting], .msg_iovlen = 1, .msg_name = &server, .msg_namelen = sizeof server};
    r->sent = t;
    if (++waiting == BATCH) flush_out();
}

static void read_requests(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) { perror(path); exit(1); }
    uint32_t room = 0;
    uint8_t head[6];
    while (fread(head, 6, 1, f) == 1) {
        if (count == room) requests = realloc(requests, (room = room ? 2 * room : 1024) * sizeof *requests);
        Request *r = &requests[count++];
        memset(r, 0, sizeof *r);
        r->length = head[0] << 8 | head[1];
        memcpy(&r->expected, head + 2, 4);
        r->octets = malloc(r->length);
        if (r->length < 240 || fread(r->octets, r->length, 1, f) != 1) { fprintf(stderr, "%s: not whole\n", path); exit(1); }
        uint32_t xid = htonl(count);
        memcpy(r->octets + 4, &xid, 4);
    }
    fclose(f);
}

static int kind(const uint8_t *b, unsigned length) {
    for (unsigned p = 240; p + 1 < length && b[p] != 255;) {
        if (!b[p]) { p++; continue; }
        if (b[p] == 53 && p + 2 < length) return b[p + 2];
        p += 2 + b[p + 1];
    }
    return 0;
}

static int less(const void *a, const void *b) { float x = *(float *)a, y = *(float *)b; return x < y ? -1 : x > y; }

int main(int argc, char **argv) {
    if (argc < 2) { fprintf(stderr, "see the head of replay.c\n"); return 2; }
    const char *local = "127.0.0.1", *remote = "127.0.0.1", *given = NULL;
    double rate = 0, limit = 60, patience = 1;
    uint32_t window = 64, wanted = 5;
    optind = 2;
    for (int o; (o = getopt(argc, argv, "l:s:w:r:t:e:k:o:")) != -1;) switch (o) {
        case 'l': local = optarg; break;
        case 's': remote = optarg; break;
        case 'w': window = atoi(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 't': limit = atof(optarg); break;
        case 'e': patience = atof(optarg); break;
        case 'k': wanted = atoi(optarg); break;
        case 'o': given = optarg; break;
        default: return 2;
    }
    read_requests(argv[1]);
    float *latency = malloc(sizeof *latency * (count + 1));
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    int size = 64 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    struct sockaddr_in me = {.sin_family = AF_INET, .sin_port = htons(67)};
    inet_pton(AF_INET, local, &me.sin_addr);
    if (bind(fd, (void *)&me, sizeof me)) { perror("bind"); return 1; }
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(67)};
    inet_pton(AF_INET, remote, &server.sin_addr);

    static uint8_t in[BATCH][LONGEST];
    static struct iovec places[BATCH];
    static struct mmsghdr incoming[BATCH];
    for (int k = 0; k < BATCH; k++) { places[k] = (struct iovec){in[k], LONGEST}; incoming[k].msg_hdr.msg_iov = &places[k]; incoming[k].msg_hdr.msg_iovlen = 1; }
    uint32_t next = 0, done = 0, failed = 0, right = 0, naks = 0, wrong = 0, extra = 0;
    double began = now(), looked = began, end = began + limit, first = 0, step = patience / 4 < 0.25 ? patience / 4 : 0.25;
    while (done + failed < count) {
        double t = now();
        if (t > end) break;
        uint32_t due = rate > 0 ? (uint32_t)((t - began) * rate) + 1 : count;
        if (due > count) due = count;
        while (next < due && (rate > 0 || next - done - failed < window)) {
            requests[next].first = rate > 0 ? began + next / rate : t;
            emit(&requests[next++], t);
        }
        if (waiting) flush_out();
        int k = recvmmsg(fd, incoming, BATCH, MSG_DONTWAIT, NULL);
        if (k <= 0) { struct pollfd p = {fd, POLLIN, 0}; poll(&p, 1, 1); }
        t = now();
        for (int m = 0; m < k; m++) {
            unsigned length = incoming[m].msg_len;
            uint32_t xid, yiaddr;
            memcpy(&xid, in[m] + 4, 4);
            memcpy(&yiaddr, in[m] + 16, 4);
            xid = ntohl(xid);
            if (length < 241 || in[m][0] != 2 || xid < 1 || xid > count) { wrong++; continue; }
            Request *r = &requests[xid - 1];
            int type = kind(in[m], length);
            if (r->done) { extra++; continue; }
            r->done = 1;
            done++;
            if (!first) first = t - began;
            if (type == 6) naks++;
            else if ((uint32_t)type != wanted || (r->expected && yiaddr != r->expected)) wrong++;
            else { r->given = yiaddr; latency[right++] = (float)(t - r->first); }
        }
        if (t - looked < step) continue;
        looked = t;
        for (uint32_t i = 0; i < next; i++) {
            Request *r = &requests[i];
            if (r->done || t - r->sent <= patience) continue;
            if (patience >= 0.5 && ++r->tries > TRIES) { r->done = 1; failed++; continue; }
            again++;
            emit(r, t);
        }
    }
    double seconds = now() - began;
    qsort(latency, right, sizeof *latency, less);
#define AT(p) (right ? latency[(uint32_t)((right - 1) * (p))] * 1e3 : 0)
    printf("requests=%u done=%u failed=%u seconds=%.3f per_second=%.0f first_s=%.3f resent=%lu naks=%u extra=%u wrong=%u p50_ms=%.2f p99_ms=%.2f max_ms=%.2f\n",
           count, right, count - right, seconds, right / seconds, first, again, naks, extra, wrong, AT(.5), AT(.99), AT(1.));
    if (given) {
        FILE *f = fopen(given, "wb");
        if (!f) { perror(given); return 1; }
        for (uint32_t i = 0; i < count; i++) fwrite(&requests[i].given, 4, 1, f);
        fclose(f);
    }
    return right == count ? 0 : 1;
}
