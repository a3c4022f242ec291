/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"

#include <string.h>

static bool
has_data(const PlArg *arg) {
  return arg->type == PL_ARG_TEXT || arg->type == PL_ARG_BLOB;
}

PlOp *
pl_op_new(PlOpKind kind, unsigned flags, const char *sql, const PlArg *args, unsigned count) {
  size_t fixed = sizeof(PlOp) + count * sizeof(PlArg), bytes = fixed;
  for (unsigned i = 0; i < count; i++)
    if (has_data(&args[i]))
      bytes += args[i].size;

  PlOp *op = g_atomic_rc_box_alloc0(bytes);
  *op = (PlOp){.kind = kind, .flags = flags, .bytes = bytes, .sql = sql, .count = count};
  char *data = (char *)op + fixed;
  for (unsigned i = 0; i < count; i++) {
    op->args[i] = args[i];
    if (!has_data(&args[i]) || args[i].size == 0)
      continue;
    op->args[i].data = memcpy(data, args[i].data, args[i].size);
    data += args[i].size;
  }
  return op;
}

PlOp *
pl_op_ref(PlOp *op) {
  return g_atomic_rc_box_acquire(op);
}

void
pl_op_unref(PlOp *op) {
  g_atomic_rc_box_release(op);
}

const char *
pl_op_text(const PlOp *op, unsigned arg) {
  return arg < op->count && op->args[arg].type == PL_ARG_TEXT ? op->args[arg].data : NULL;
}
