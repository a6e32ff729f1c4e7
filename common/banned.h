/*
 * Functions that write past a buffer or read numbers without telling of errors.
 * Every .c file of ours includes this last, so that using one fails the build.
 */
#ifndef COMMON_BANNED_H
#define COMMON_BANNED_H

#pragma GCC poison sprintf vsprintf strcpy strcat stpcpy atoi atol atoll gets strtok strncat

#endif
