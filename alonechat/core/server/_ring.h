/* A hundred sends in one system call, by Linux's io_uring; a part of `_pipes.c`.

Why: of the 4 us that a short send to a socket on the same machine takes, 0.6 are the way into the kernel and out again,
and it is the same way for every member of a room. All sends of a flush are put into a queue that the kernel and this
process share, and one call carries them out, one after the other, before it returns: 345 instead of 403 us a hundred
of 300 bytes, 698 instead of 787 of 26,000 (cold, 1 ms apart; 320 instead of 380 right after each other).

Nothing is ever left under way: each send says MSG_DONTWAIT, so it is done, or has failed for want of room, when the
call is over. The ring belongs to the thread that made it, which is the loop's; others send as without one. There is none
before Linux 6.1, nor where it is forbidden, as in many containers: then `ring_push` does nothing, and all is sent by
calls of its own. */

#if defined(__linux__) && !defined(__ANDROID__) && defined(__has_include) /* Android ends a process that asks */
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif
#endif

#if defined(IORING_SETUP_DEFER_TASKRUN) && !defined(WITHOUT_RING)
#include <sys/mman.h>
#include <sys/syscall.h>

#define ENTRIES 128 /* sends of one call */

static struct {
    int fd; /* -1: none */
    int tried;
    pid_t owner;
    unsigned *sq_head, *sq_tail, *cq_head, *cq_tail, sq_mask, cq_mask;
    struct io_uring_sqe *sends;
    struct io_uring_cqe *ends;
} ring = {.fd = -1};

static void *ring_map(int fd, size_t size, off_t what)
{
    void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
    return found == MAP_FAILED ? NULL : found;
}

/* Make the ring, for the calling thread. It is made once: where that fails, there is none. */
static void ring_open(void)
{
    struct io_uring_params made = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    ring.tried = 1;
    int fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &made);
    if (fd < 0)
        return;
    size_t sends = made.sq_off.array + made.sq_entries * sizeof(unsigned);
    size_t ends = made.cq_off.cqes + made.cq_entries * sizeof(struct io_uring_cqe);
    char *both = ring_map(fd, sends > ends ? sends : ends, IORING_OFF_SQ_RING);
    ring.sends = ring_map(fd, made.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    if (both == NULL || ring.sends == NULL) {
        close(fd); /* what was mapped is a few pages, and this comes once */
        return;
    }
    ring.sq_head = (unsigned *)(both + made.sq_off.head);
    ring.sq_tail = (unsigned *)(both + made.sq_off.tail);
    ring.sq_mask = *(unsigned *)(both + made.sq_off.ring_mask);
    ring.cq_head = (unsigned *)(both + made.cq_off.head);
    ring.cq_tail = (unsigned *)(both + made.cq_off.tail);
    ring.cq_mask = *(unsigned *)(both + made.cq_off.ring_mask);
    ring.ends = (struct io_uring_cqe *)(both + made.cq_off.cqes);
    unsigned *order = (unsigned *)(both + made.sq_off.array);
    for (unsigned at = 0; at < made.sq_entries; at++)
        order[at] = at;
    ring.owner = (pid_t)syscall(SYS_gettid);
    ring.fd = fd;
}

/* Whether the calling thread has the ring. With Python's lock: two threads must not both make it. */
static int ring_is_here(void)
{
    if (!ring.tried)
        ring_open();
    return ring.fd >= 0 && ring.owner == (pid_t)syscall(SYS_gettid);
}

/* Note what came of the sends that are done; how many these are. */
static unsigned ring_reap(Target *targets)
{
    unsigned head = *ring.cq_head, end = __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE), count = end - head;
    for (; head != end; head++) {
        struct io_uring_cqe *each = &ring.ends[head & ring.cq_mask];
        targets[each->user_data].sent = each->res < 0 ? 0 : each->res;
    }
    __atomic_store_n(ring.cq_head, end, __ATOMIC_RELEASE);
    return count;
}

/* Carry out what was put into the queue. 0 when the kernel took not all of it: there is no ring from then on. */
static int ring_carry_out(Target *targets, unsigned waiting)
{
    unsigned taken = 0, done = 0;
    while (done < waiting) {
        int found = (int)syscall(SYS_io_uring_enter, ring.fd, waiting - taken, waiting - done, IORING_ENTER_GETEVENTS,
                                 NULL, 0);
        if (found > 0)
            taken += (unsigned)found;
        else if (found < 0 && errno != EINTR)
            break;
        done += ring_reap(targets);
    }
    if (done == waiting)
        return 1;
    close(ring.fd);
    ring.fd = -1;
    return 0;
}

/* Send its data to each target with a socket whose `sent` is -1, which then says what the socket took, as `push` does.
It stays -1 where that has still to be done. */
static void ring_push(Target *targets, Py_ssize_t count)
{
    for (Py_ssize_t at = 0; at < count;) {
        unsigned tail = *ring.sq_tail, waiting = 0;
        for (; at < count && waiting < ENTRIES; at++) {
            if (targets[at].fd < 0)
                continue;
            struct io_uring_sqe *send = &ring.sends[(tail + waiting++) & ring.sq_mask];
            memset(send, 0, sizeof *send);
            send->opcode = IORING_OP_SEND;
            send->fd = targets[at].fd;
            send->addr = (uintptr_t)PyBytes_AS_STRING(targets[at].data);
            send->len = (unsigned)PyBytes_GET_SIZE(targets[at].data);
            send->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
            send->user_data = (uint64_t)at;
        }
        __atomic_store_n(ring.sq_tail, tail + waiting, __ATOMIC_RELEASE);
        if (!ring_carry_out(targets, waiting))
            return;
    }
}

#else

static int ring_is_here(void)
{
    return 0;
}

static void ring_push(Target *targets, Py_ssize_t count)
{
}

#endif
