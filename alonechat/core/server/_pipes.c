/* Writing to many sockets at once, for the native file; `pipes.py` says when it is used and what stands in for it.

Why it is C: a message to a hundred members is a hundred system calls, and nothing else that the server does for it takes
as long. An event loop's transport puts a tenth on top of each of them, and more where the processor has slept between
two messages and has to fetch all that code again. Here it is one loop around send(), without Python's lock.

A Pipe sends straight into a connection's socket while the connection's transport has nothing waiting, and gives the
transport whatever the socket does not take: the rest of a frame, and all that follows until that is gone. So the
transport goes on to watch for room, to bound what waits, and to find out that a socket is broken.

What is long is not copied into each socket: it is written once into memory that has a descriptor (memfd_create), from
which sendfile() gives every socket the same pages. A kernel that is given 52 KB a hundred times copies 5 MB, which is
half of what such a flush takes, and the more the slower the memory is. Nobody writes to these pages again: they are
those of one flush, and gone once the last socket was read. What is shorter goes out by `_ring.h`, if it can.

What many connections are written at once is allocated together, freed together, and makes up the end of the heap: glibc
gave that back to the system each time, and a flush to a thousand had to have 5 MB of pages anew, a fourteenth of all
that a server with many rooms did. So it is told to keep some (`keep_heap`), for each thread that has a heap, unless
whoever runs it has told it something else.

A Pipe has a descriptor of its own (dup): a transport closes its one a turn before it says that the connection is lost,
and by then the number may be somebody else's socket. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#include <sys/sendfile.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* Python ignores SIGPIPE */
#endif

#define KEPT (8 << 20)        /* bytes at a heap's end that are not given back */
#define APART (1 << 20)       /* bytes from which a block is none of the heap's, and is given back at once */
#define FEW 16 /* up to so many sockets Python's lock is kept: giving it away takes longer */
/* Bytes from which sendfile is quicker: 7.0 beside 8.5 us a send of 26,000; than the ring, 9.2 beside 10.9 of 52,000. */
#define LONG 16384
#define LONG_FOR_RING 32768

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *write; /* the transport's write(data) */
    PyObject *size;  /* the transport's get_write_buffer_size() */
    int fd;          /* -1: closed */
    int behind;      /* the transport holds bytes that have to go first */
} Pipe;

static PyTypeObject Pipe_Type;

/* One of those who are written to at once. */
typedef struct {
    PyObject *write;
    PyObject *data;  /* bytes; whoever calls keeps them */
    Py_ssize_t sent; /* what the socket took; -1: it was not asked yet */
    int fd;          /* -1: the transport has to be asked */
} Target;

#include "_ring.h"

/* What the socket took of `data`, at once; 0 as well where it failed, which the transport will meet, too. */
static Py_ssize_t push(int fd, const char *data, Py_ssize_t length)
{
    for (;;) {
        ssize_t sent = send(fd, data, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            return sent;
        if (errno != EINTR)
            return 0;
    }
}

#if defined(__linux__) && defined(MFD_CLOEXEC)
/* A descriptor of memory that holds `data`; -1 where there is none to be had, and all is sent by copying. */
static int share(const char *data, Py_ssize_t length)
{
    int memory = memfd_create("alonechat", MFD_CLOEXEC);
    if (memory < 0)
        return -1;
    for (Py_ssize_t at = 0; at < length;) {
        ssize_t done = write(memory, data + at, (size_t)(length - at));
        if (done > 0) {
            at += done;
        } else if (done == 0 || errno != EINTR) {
            close(memory);
            return -1;
        }
    }
    return memory;
}

/* As `push`, of what `memory` holds. The socket does not block, as any of an event loop; Python ignores SIGPIPE. */
static Py_ssize_t push_shared(int fd, int memory, const char *data, Py_ssize_t length)
{
    for (;;) {
        off_t at = 0;
        ssize_t sent = sendfile(fd, memory, &at, (size_t)length);
        if (sent >= 0)
            return sent;
        if (errno == EINVAL || errno == ENOSYS)
            return push(fd, data, length);
        if (errno != EINTR)
            return 0;
    }
}
#else
static int share(const char *data, Py_ssize_t length)
{
    return -1;
}

static Py_ssize_t push_shared(int fd, int memory, const char *data, Py_ssize_t length)
{
    return push(fd, data, length);
}
#endif

/* 1 when the socket may be written to, 0 when the transport has to be, -1 with an exception. */
static int is_ahead(Pipe *self)
{
    if (!self->behind)
        return 1;
    PyObject *found = PyObject_CallNoArgs(self->size);
    if (found == NULL)
        return -1;
    Py_ssize_t waiting = PyLong_AsSsize_t(found);
    Py_DECREF(found);
    if (waiting == -1 && PyErr_Occurred())
        return -1;
    self->behind = waiting != 0;
    return !self->behind;
}

/* Give the transport what is left of `data` from `sent` on. */
static int pass_on(Pipe *self, PyObject *data, Py_ssize_t sent)
{
    if (self->write == NULL)
        return 0; /* closed meanwhile */
    PyObject *rest = sent ? PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + sent, PyBytes_GET_SIZE(data) - sent)
                          : Py_NewRef(data);
    if (rest == NULL)
        return -1;
    self->behind = 1;
    PyObject *done = PyObject_CallOneArg(self->write, rest);
    Py_DECREF(rest);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *pipe_call(PyObject *object, PyObject *const *args, size_t flags, PyObject *names)
{
    Pipe *self = (Pipe *)object;
    if (PyVectorcall_NARGS(flags) != 1 || names != NULL || !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "a pipe takes one argument: bytes");
        return NULL;
    }
    if (self->fd < 0)
        Py_RETURN_NONE; /* nobody is there any more */
    int ahead = is_ahead(self);
    if (ahead < 0)
        return NULL;
    Py_ssize_t length = PyBytes_GET_SIZE(args[0]);
    Py_ssize_t sent = ahead ? push(self->fd, PyBytes_AS_STRING(args[0]), length) : 0;
    if (sent < length && pass_on(self, args[0], sent) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *pipe_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *known[] = {"fd", "write", "size", NULL};
    int fd;
    PyObject *write, *size;
    if (!PyArg_ParseTupleAndKeywords(args, names, "iOO:Pipe", known, &fd, &write, &size))
        return NULL;
    Pipe *self = (Pipe *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->call = pipe_call;
    self->write = Py_NewRef(write);
    self->size = Py_NewRef(size);
    self->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (self->fd < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int pipe_clear(Pipe *self)
{
    Py_CLEAR(self->write);
    Py_CLEAR(self->size);
    return 0;
}

static int pipe_traverse(Pipe *self, visitproc visit, void *arg)
{
    Py_VISIT(self->write);
    Py_VISIT(self->size);
    return 0;
}

static PyObject *pipe_close(Pipe *self, PyObject *unused)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    pipe_clear(self);
    Py_RETURN_NONE;
}

static void pipe_dealloc(Pipe *self)
{
    PyObject_GC_UnTrack(self);
    if (self->fd >= 0)
        close(self->fd);
    pipe_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef pipe_methods[] = {
    {"close", (PyCFunction)pipe_close, METH_NOARGS, "The connection is lost: from now on a call does nothing."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject Pipe_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "alonechat.core.server._pipes.Pipe",
    .tp_doc = "Pipe(fd, write, size): called with bytes, writes them to the socket `fd`, or with the transport's `write`.",
    .tp_basicsize = sizeof(Pipe),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Pipe, call),
    .tp_call = PyVectorcall_Call,
    .tp_new = pipe_new,
    .tp_dealloc = (destructor)pipe_dealloc,
    .tp_traverse = (traverseproc)pipe_traverse,
    .tp_clear = (inquiry)pipe_clear,
    .tp_methods = pipe_methods,
};

static void prepare(Target *each)
{
    each->sent = -1;
    each->fd = -1;
    if (!Py_IS_TYPE(each->write, &Pipe_Type))
        return;
    int ahead = is_ahead((Pipe *)each->write);
    if (ahead > 0)
        each->fd = ((Pipe *)each->write)->fd;
    else if (ahead < 0)
        PyErr_WriteUnraisable(each->write); /* and the transport is asked */
}

static void finish(Target *each)
{
    if (each->fd >= 0 && each->sent == PyBytes_GET_SIZE(each->data))
        return;
    PyObject *done;
    if (each->fd >= 0)
        done = pass_on((Pipe *)each->write, each->data, each->sent) < 0 ? NULL : Py_NewRef(Py_None);
    else
        done = PyObject_CallOneArg(each->write, each->data);
    if (done == NULL)
        PyErr_WriteUnraisable(each->write); /* one whose write fails keeps nothing from the others */
    Py_XDECREF(done);
}

/* Write to all targets, and let go of them. `same`: what all get, if it is that. */
static PyObject *write_all(Target *targets, Py_ssize_t count, PyObject *same)
{
    for (Py_ssize_t at = 0; at < count; at++)
        prepare(&targets[at]);
    Py_ssize_t shared = same == NULL ? 0 : PyBytes_GET_SIZE(same);
    int many = count > FEW, ringed = many && shared < LONG_FOR_RING && ring_is_here();
    PyThreadState *state = many ? PyEval_SaveThread() : NULL;
    int memory = many && shared >= LONG && !ringed ? share(PyBytes_AS_STRING(same), shared) : -1;
    if (ringed)
        ring_push(targets, count);
    for (Py_ssize_t at = 0; at < count; at++) {
        Target *each = &targets[at];
        if (each->fd < 0 || each->sent >= 0)
            continue;
        const char *bytes = PyBytes_AS_STRING(each->data);
        Py_ssize_t length = PyBytes_GET_SIZE(each->data);
        each->sent = memory < 0 ? push(each->fd, bytes, length) : push_shared(each->fd, memory, bytes, length);
    }
    if (memory >= 0)
        close(memory);
    if (state != NULL)
        PyEval_RestoreThread(state);
    for (Py_ssize_t at = 0; at < count; at++) {
        finish(&targets[at]);
        Py_DECREF(targets[at].write);
    }
    PyMem_Free(targets);
    Py_RETURN_NONE;
}

static PyObject *spread(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    if (given != 2 || !PyDict_Check(args[0]) || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "spread takes a dict whose values are called, and bytes");
        return NULL;
    }
    PyObject *key, *write;
    Py_ssize_t count = 0, place = 0;
    Target *targets = PyMem_New(Target, PyDict_GET_SIZE(args[0]) + 1);
    if (targets == NULL)
        return PyErr_NoMemory();
    while (PyDict_Next(args[0], &place, &key, &write)) {
        targets[count].write = Py_NewRef(write);
        targets[count++].data = args[1];
    }
    return write_all(targets, count, args[1]);
}

static PyObject *scatter(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    int fits = given == 2 && PyList_Check(args[0]) && PyList_Check(args[1]) &&
               PyList_GET_SIZE(args[0]) == PyList_GET_SIZE(args[1]);
    Py_ssize_t count = fits ? PyList_GET_SIZE(args[1]) : 0;
    for (Py_ssize_t at = 0; at < count; at++)
        fits = fits && PyBytes_Check(PyList_GET_ITEM(args[1], at));
    if (!fits) {
        PyErr_SetString(PyExc_TypeError, "scatter takes a list of what is called, and a list of bytes as long");
        return NULL;
    }
    PyObject *pieces = PyList_AsTuple(args[1]); /* which nobody can take them out of meanwhile */
    Target *targets = pieces == NULL ? NULL : PyMem_New(Target, count + 1);
    if (targets == NULL) {
        Py_XDECREF(pieces);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        targets[at].write = Py_NewRef(PyList_GET_ITEM(args[0], at));
        targets[at].data = PyTuple_GET_ITEM(pieces, at);
    }
    PyObject *done = write_all(targets, count, NULL);
    Py_DECREF(pieces);
    return done;
}

static PyMethodDef functions[] = {
    {"spread", (PyCFunction)(void (*)(void))spread, METH_FASTCALL,
     "spread(members, data): call each value of a dict with `data`. Pipes are written to all at once."},
    {"scatter", (PyCFunction)(void (*)(void))scatter, METH_FASTCALL,
     "scatter(writes, pieces): call each of a list, none of them twice, with its piece, bytes of a list as long."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "alonechat.core.server._pipes",
    .m_doc = "Writing to many sockets at once.",
    .m_size = -1,
    .m_methods = functions,
};

static void keep_heap(void)
{
#ifdef __GLIBC__
    static const char *const told[] = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_",
                                       "GLIBC_TUNABLES"};
    for (size_t at = 0; at < sizeof told / sizeof *told; at++)
        if (getenv(told[at]) != NULL)
            return;
    mallopt(M_TRIM_THRESHOLD, KEPT);
    mallopt(M_TOP_PAD, KEPT);
    mallopt(M_MMAP_THRESHOLD, APART);
#endif
}

PyMODINIT_FUNC PyInit__pipes(void)
{
    keep_heap();
    if (PyType_Ready(&Pipe_Type) < 0)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddObjectRef(module, "Pipe", (PyObject *)&Pipe_Type) < 0)
        Py_CLEAR(module);
    return module;
}
