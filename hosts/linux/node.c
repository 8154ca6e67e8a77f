/*
 * The shim as an addon of Node: its functions by their names, and `watch`, which has libuv call back when packets wait, or by the clock (pace.c).
 * Build: cc -O2 -fPIC -shared -I dist -I <headers of Node> node.c, which takes shim.c in.
 */
#include "shim.c"

#define NAPI_VERSION 8
#include <node_api.h>
#include <sys/timerfd.h>
#include <uv.h>

typedef int function(int, int, int);

/** What the watched queues need. */
struct watch {
  uv_poll_t poll[INLETS], clock;
  /** A bit for each queue that is paced, and what looks at them. */
  int paced, timer;
  napi_env env;
  napi_async_context context;
  napi_ref receiver, callback;
  int open, shim;
};

static struct watch *watches[SHIMS];

static napi_value number(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

/** Calls the function that the JavaScript function was made with, with up to three numbers. */
static napi_value call(napi_env env, napi_callback_info info) {
  size_t n = 3;
  napi_value argument[3];
  int32_t value[3] = { 0, 0, 0 };
  void *data = NULL;
  napi_get_cb_info(env, info, &n, argument, NULL, &data);
  for (size_t i = 0; i < n && i < 3; i++) napi_get_value_int32(env, argument[i], &value[i]);
  return number(env, (*(function **)data)(value[0], value[1], value[2]));
}

/** open(memory: ArrayBuffer, workers: number): number */
static napi_value openCall(napi_env env, napi_callback_info info) {
  size_t n = 2, size = 0;
  napi_value argument[2];
  void *data = NULL;
  int32_t workers = 0;
  napi_get_cb_info(env, info, &n, argument, NULL, NULL);
  if (n < 2 || napi_get_arraybuffer_info(env, argument[0], &data, &size) != napi_ok || size > INT32_MAX) return number(env, -EINVAL);
  napi_get_value_int32(env, argument[1], &workers);
  return number(env, shim_open(data, (int)size, workers));
}

/** The number that a function of one argument is called with, 0 for anything else. */
static int32_t argumentRead(napi_env env, napi_callback_info info) {
  size_t n = 1;
  int32_t value = 0;
  napi_value argument;
  napi_get_cb_info(env, info, &n, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &value);
  return value;
}

/** exchange(shim: number): ArrayBuffer */
static napi_value exchangeCall(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  napi_create_external_arraybuffer(env, shim_exchange(argumentRead(env, info)), EXCHANGE_WORDS * sizeof(int32_t), NULL, NULL, &result);
  return result;
}

/** code(number: number): string, the name of an errno */
static napi_value codeCall(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  const char *name = shim_code(argumentRead(env, info));
  napi_create_string_utf8(env, name != NULL ? name : "unknown", NAPI_AUTO_LENGTH, &result);
  return result;
}

/** Has the host read a queue. */
static void queueRead(struct watch *w, int index) {
  napi_handle_scope scope;
  napi_value receiver, callback, queue;
  napi_open_handle_scope(w->env, &scope);
  napi_get_reference_value(w->env, w->receiver, &receiver);
  napi_get_reference_value(w->env, w->callback, &callback);
  queue = number(w->env, index);
  if (napi_make_callback(w->env, w->context, receiver, callback, 1, &queue, NULL) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(w->env, &error);
    napi_fatal_exception(w->env, error);
  }
  napi_close_handle_scope(w->env, scope);
}

static void readable(uv_poll_t *poll, int status, int events);

static void clockTurn(struct watch *w, long nanoseconds) {
  const struct itimerspec period = { { 0, nanoseconds }, { 0, nanoseconds } };
  timerfd_settime(w->timer, 0, &period, NULL);
}

/** Starts or stops waiting for a queue. */
static void pollTurn(struct watch *w, int queue, int on) {
  for (int i = 0; i < INLETS; i++) {
    if (inletQueue(i) != queue || inlet(shims[w->shim], i) < 0) continue;
    if (on) uv_poll_start(&w->poll[i], UV_READABLE, readable);
    else uv_poll_stop(&w->poll[i]);
  }
}

static void paceBegin(struct watch *w, int queue) {
  pollTurn(w, queue, 0);
  if (w->paced == 0) clockTurn(w, shims[w->shim]->period);
  w->paced |= 1 << queue;
}

static void paceEnd(struct watch *w, int queue) {
  w->paced &= ~(1 << queue);
  if (w->paced == 0) clockTurn(w, 0);
  pollTurn(w, queue, 1);
}

/** Looks at the queues that are paced. Whom the host calls may close the shim. */
static void ticked(uv_poll_t *clock, int status, int events) {
  (void)status, (void)events;
  struct watch *w = clock->data;
  uint64_t times;
  if (read(w->timer, &times, sizeof times) < 0) return;
  for (int i = 0; i < QUEUES + RINGS && watches[w->shim] == w; i++) {
    if ((w->paced >> i & 1) == 0) continue;
    queueRead(w, i);
    if (watches[w->shim] == w && !paceWeigh(&shims[w->shim]->pace[i])) paceEnd(w, i);
  }
}

static void readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct watch *w = poll->data;
  int index = (int)(poll - w->poll), queue = inletQueue(index);
  if (status < 0) {
    /* libuv stops polling what has an error. */
    inletCalm(shims[w->shim], index);
    uv_poll_start(poll, UV_READABLE, readable);
    return;
  }
  queueRead(w, queue);
  if (watches[w->shim] == w && w->timer >= 0 && paceWeigh(&shims[w->shim]->pace[queue])) paceBegin(w, queue);
}

/** watch(shim: number, callback: (queue: number) => void): number */
static napi_value watchCall(napi_env env, napi_callback_info info) {
  size_t n = 2;
  int32_t shim = 0;
  napi_value argument[2], receiver, name;
  uv_loop_t *loop;
  napi_get_cb_info(env, info, &n, argument, NULL, NULL);
  napi_get_value_int32(env, argument[0], &shim);
  struct watch *w = calloc(1, sizeof *w);
  if (w == NULL) return number(env, -ENOMEM);
  w->env = env;
  w->shim = shim;
  napi_create_object(env, &receiver);
  napi_create_string_utf8(env, "culvert", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, receiver, 1, &w->receiver);
  napi_create_reference(env, argument[1], 1, &w->callback);
  napi_async_init(env, receiver, name, &w->context);
  napi_get_uv_event_loop(env, &loop);
  struct shim *s = shims[shim];
  for (int i = 0; i < INLETS; i++) {
    w->poll[i].data = w;
    if (inlet(s, i) < 0) continue;
    uv_poll_init(loop, &w->poll[i], inlet(s, i));
    uv_poll_start(&w->poll[i], UV_READABLE, readable);
    w->open++;
  }
  w->timer = s->period == 0 ? -1 : timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  w->clock.data = w;
  if (w->timer >= 0) {
    uv_poll_init(loop, &w->clock, w->timer);
    uv_poll_start(&w->clock, UV_READABLE, ticked);
    w->open++;
  }
  watches[shim] = w;
  return number(env, 0);
}

static void watchClosed(uv_handle_t *handle) {
  struct watch *w = handle->data;
  if (--w->open > 0) return;
  if (w->timer >= 0) close(w->timer);
  napi_handle_scope scope;
  napi_open_handle_scope(w->env, &scope);
  napi_async_destroy(w->env, w->context);
  napi_delete_reference(w->env, w->receiver);
  napi_delete_reference(w->env, w->callback);
  napi_close_handle_scope(w->env, scope);
  free(w);
}

/** Ends the watching, then the shim. */
static int closeWatched(int shim, int a, int b) {
  struct watch *w = watches[shim];
  watches[shim] = NULL;
  if (w != NULL) {
    for (int i = 0; i < INLETS; i++)
      if (inlet(shims[shim], i) >= 0) uv_close((uv_handle_t *)&w->poll[i], watchClosed);
    if (w->timer >= 0) uv_close((uv_handle_t *)&w->clock, watchClosed);
  }
  return shim_close(shim, a, b);
}

static void add(napi_env env, napi_value exports, const char *name, napi_callback callback, function **data) {
  napi_value made;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, (void *)data, &made);
  napi_set_named_property(env, exports, name, made);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    function *function;
  } functions[] = {
    { "bind", shim_bind }, { "unbind", shim_unbind }, { "others", shim_others }, { "listen", shim_listen }, { "receive", shim_receive }, { "lay", shim_lay },
    { "send", shim_send }, { "failure", shim_failure }, { "close", closeWatched }, { "ring", shim_ring }, { "lost", shim_lost }, { "pace", shim_pace },
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    add(env, exports, functions[i].name, call, (function **)(uintptr_t)&functions[i].function);
  add(env, exports, "open", openCall, NULL);
  add(env, exports, "exchange", exchangeCall, NULL);
  add(env, exports, "watch", watchCall, NULL);
  add(env, exports, "code", codeCall, NULL);
  return exports;
}
