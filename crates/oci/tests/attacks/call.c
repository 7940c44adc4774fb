/* System calls by number, one after the other, for attacks that no program of the container makes.
 *
 * usage: call NUMBER ARG... [, NUMBER ARG...]... [, exec PROGRAM ARG...]
 *
 * An argument is a number, t:TEXT, or z:SIZE, a buffer of zeros. Prints a verdict as the probe does, of the first call that
 * fails or else of the last; with exec only a failure. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *buffer = "";

static long value(char *text)
{
	if (!strncmp(text, "t:", 2))
		return (long)(text + 2);
	if (!strncmp(text, "z:", 2))
		return (long)(buffer = calloc(1, strtoul(text + 2, NULL, 0) + 1));
	return strtol(text, NULL, 0);
}

static int told(const char *outcome, long result)
{
	for (char *c = buffer; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '?';
	printf("{\"attempt\":\"call\",\"outcome\":\"%s\",\"detail\":{\"result\":%ld,\"buffer\":\"%s\"}}\n",
	       outcome, result, buffer);
	return 0;
}

int main(int argc, char **argv)
{
	long result = 0;
	for (int i = 1; i < argc; i++) {
		long args[7] = { 0 };
		if (!strcmp(argv[i], "exec")) {
			execv(argv[i + 1], argv + i + 1);
			return told(strerrorname_np(errno), -1);
		}
		for (int n = 0; n < 7 && i < argc && strcmp(argv[i], ","); n++, i++)
			args[n] = strcmp(argv[i], "result") ? value(argv[i]) : result;
		result = syscall(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
		if (result < 0)
			return told(strerrorname_np(errno), -1);
	}
	return told("ok", result);
}
