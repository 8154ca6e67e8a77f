/*
 * Run by shim.test.ts for another processor, linked with shim.so: says whether the addon (the first argument) has an entry, which of the
 * named functions are not there, and what shim_open answers.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEMORY = 1 << 20 };

int shim_open(void *memory, int size, int workers);
const char *shim_code(int number);

int main(int n, char **argument) {
  /* What Node brings along is not here: looked up only when it is called. */
  void *addon = n > 1 ? dlopen(argument[1], RTLD_LAZY) : NULL;
  printf("addon %s\n", addon == NULL ? dlerror() : dlsym(addon, "napi_register_module_v1") == NULL ? "has no entry" : "has an entry");
  for (int i = 2; i < n; i++)
    if (dlsym(RTLD_DEFAULT, argument[i]) == NULL) printf("no %s\n", argument[i]);
  int shim = shim_open(calloc(1, MEMORY), MEMORY, 0);
  printf("open %s\n", shim < 0 ? shim_code(shim) : "opened");
  return 0;
}
