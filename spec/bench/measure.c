/* measure.c: runs a program with a time limit, on one processor, and says what
   it took from its start to its end; for measuring only.

     measure SECONDS PROCESSOR|any PROGRAM ARGUMENTS...

   After what the program prints comes a line of JSON: its wall time and its
   user and system time in seconds, its peak memory in KiB, and how it ended:
   "0" to "255", "signal N" or "time limit". */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Where it cannot be pinned it runs all the same. */
static void pin(const char *processor) {
  cpu_set_t set;
  if (strcmp(processor, "any") == 0) return;
  CPU_ZERO(&set);
  CPU_SET((unsigned int)atoi(processor), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) perror("sched_setaffinity");
}

static void become(const char *processor, char **command,
                   const sigset_t *mask) {
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, mask, NULL);
  pin(processor);
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

int main(int count, char **arguments) {
  sigset_t children, before;
  struct rusage used;
  struct timespec limit = {0, 0};
  double started;
  int status, late;
  pid_t child;
  if (count < 4) return 2;
  limit.tv_sec = atol(arguments[1]);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, &before);
  started = now();
  child = fork();
  if (child < 0) return 1;
  if (child == 0) become(arguments[2], arguments + 3, &before);
  late = sigtimedwait(&children, NULL, &limit) < 0;
  if (late && (kill(-child, SIGKILL) != 0)) kill(child, SIGKILL);
  if (wait4(child, &status, 0, &used) != child) return 1;
  printf("{\"wall\":%.6f,\"cpu\":%.6f,\"rss\":%ld,\"ended\":\"",
         now() - started, seconds(used.ru_utime) + seconds(used.ru_stime),
         used.ru_maxrss);
  if (late)
    printf("time limit\"}\n");
  else if (WIFSIGNALED(status))
    printf("signal %d\"}\n", WTERMSIG(status));
  else
    printf("%d\"}\n", WEXITSTATUS(status));
  return 0;
}
