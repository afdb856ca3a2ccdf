// make-series and top-nested.
#include <fmt/format.h>

#include "kql/binder.h"

namespace egret::kql {

Node* Binder::make_series(const Syntax* op, Node*, Env*) {
  not_supported(op, "the operator 'make-series'");
  return broken_table();
}

Node* Binder::top_nested(const Syntax* op, Node*, Env*) {
  not_supported(op, "the operator 'top-nested'");
  return broken_table();
}

}  // namespace egret::kql
