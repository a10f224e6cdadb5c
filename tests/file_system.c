/* What a file system may do to a program: LD_PRELOAD this. NO_LOCKS=N: every lock fails with errno N, as on Lustre
   without -o flock. FULL=TEXT: no file whose path holds TEXT takes another byte. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_locks(void) {
  const char *number = getenv("NO_LOCKS");
  if (number != NULL) errno = atoi(number);
  return number != NULL;
}

int flock(int fd, int operation) {
  int (*real)(int, int) = dlsym(RTLD_NEXT, "flock");
  return no_locks() ? -1 : real(fd, operation);
}

static int control(const char *name, int fd, int command, void *argument) {
  int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
  int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  return locks && no_locks() ? -1 : real(fd, command, argument);
}

#define CONTROL(name)                            \
  int name(int fd, int command, ...) {           \
    va_list list;                                \
    va_start(list, command);                     \
    void *argument = va_arg(list, void *);       \
    va_end(list);                                \
    return control(#name, fd, command, argument); \
  }
CONTROL(fcntl)
CONTROL(fcntl64)

static int full(int fd) {
  const char *text = getenv("FULL");
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = text == NULL ? -1 : readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strstr(path, text) == NULL) return 0;
  errno = ENOSPC;
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  return full(fd) ? -1 : real(fd, bytes, size);
}

#define WRITE_AT(name)                                                                           \
  ssize_t name(int fd, const void *bytes, size_t size, off_t offset) {                           \
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, #name);                 \
    return full(fd) ? -1 : real(fd, bytes, size, offset);                                        \
  }
WRITE_AT(pwrite)
WRITE_AT(pwrite64)
