//===- Exchange.h - arrays of frameworks through their C functions ------------------------------------------------===//
//
// Frameworks whose array type has __dlpack_c_exchange_api__ (DLPack 1.3; torch 2.10 and later) say what an array is,
// and make new ones, without a Python call. Arrays of others take the way through _arrays.py.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_PYTHON_EXCHANGE_H
#define WINNOW_PYTHON_EXCHANGE_H

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <deque>
#include <optional>

namespace winnow::python {

struct ManagedTensor;

/// dlpack.h, DLPackExchangeAPI of major version 1. Functions return 0 on success, else -1 with a Python exception set.
struct ExchangeTable {
  struct Header {
    uint32_t major, minor;
    const Header *previous;
  };
  Header header;
  int (*allocate)(nanobind::dlpack::dltensor *prototype, ManagedTensor **out, void *errorContext,
                  void (*setError)(void *errorContext, const char *kind, const char *message));
  int (*ownedFromPython)(void *array, ManagedTensor **out);
  int (*toPython)(ManagedTensor *tensor, void **array);
  int (*viewFromPython)(void *array, nanobind::dlpack::dltensor *out); ///< may be null
  int (*currentStream)(int32_t deviceKind, int32_t device, void **stream);
};

/// dlpack.h, DLManagedTensorVersioned of major version 1.
struct ManagedTensor {
  uint32_t major, minor;
  void *context;
  void (*destroy)(ManagedTensor *self);
  uint64_t flags;
  nanobind::dlpack::dltensor tensor;
};

/// Types of arrays met so far. For one thread at a time: the interpreter's lock is held.
class Frameworks {
public:
  struct Framework {
    nanobind::object type;
    const ExchangeTable *table;        ///< null where the type has none
    nanobind::object gradientsEnabled; ///< asks whether gradients are recorded; invalid where arrays have none
    nanobind::object requiresGrad;     ///< the attribute's name
  };

  /// That of `array`; stays where it is as long as this object.
  const Framework &of(nanobind::handle array);

private:
  std::deque<Framework> known;
};

/// What `array` is, as long as it is neither changed nor released; nothing where its framework cannot say.
std::optional<nanobind::dlpack::dltensor> viewOf(const Frameworks::Framework &framework, nanobind::handle array);

/// Whether gradients would have to flow through `array`.
bool recordsGradients(const Frameworks::Framework &framework, nanobind::handle array);

/// A new array, not initialised, for the framework's current stream; `address` is where it lies. Nothing where the
/// framework cannot make it.
nanobind::object allocate(const Frameworks::Framework &framework, nanobind::dlpack::dltensor prototype,
                          uint64_t &address);

} // namespace winnow::python

#endif // WINNOW_PYTHON_EXCHANGE_H
