/* TCP ports: listening on one, and who holds it, told from /proc. */
#ifndef NET_PORT_H
#define NET_PORT_H

#include <sys/types.h>

#include "base/base.h"

enum { PORT_HOLDER_NAME_MAX = 64 };
/* True when somebody listens on the port.  *pid is 0 and name "" when /proc does not tell who. */
bool port_holder(int port, pid_t *pid, char name[static PORT_HOLDER_NAME_MAX]);
/* RC_EXISTS with the words "port 9092 is taken by 'java' (pid 812); stop it or use --port-offset". */
enum rc port_taken(int port, struct err *err);
/*
 * A listening socket, the caller's; port 0: any free one.  v6_only: an IPv6 address takes no IPv4 connections, so that
 * it can stand beside an IPv4 one.  RC_EXISTS as port_taken, RC_BAD_INPUT: the host is none.
 */
MUST_CHECK enum rc port_listen(const char *host, int port, bool v6_only, int *out, struct err *err);
int port_of_socket(int fd);

#endif
