//===- Exchange.cpp - arrays of frameworks through their C functions ----------------------------------------------===//

#include "Exchange.h"

namespace nb = nanobind;
using namespace winnow::python;

static constexpr uint32_t kMajorVersion = 1;

/// The table of `type`, or of an older version that it still offers; null where there is none of ours.
static const ExchangeTable *tableOf(nb::handle type) {
  nb::object capsule = nb::getattr(type, "__dlpack_c_exchange_api__", nb::none());
  if (!PyCapsule_IsValid(capsule.ptr(), "dlpack_exchange_api"))
    return nullptr;
  auto *header = static_cast<const ExchangeTable::Header *>(PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
  while (header && header->major > kMajorVersion)
    header = header->previous;
  if (!header || header->major != kMajorVersion)
    return nullptr;
  auto *table = reinterpret_cast<const ExchangeTable *>(header);
  return table->viewFromPython ? table : nullptr;
}

const Frameworks::Framework &Frameworks::of(nb::handle array) {
  nb::handle type = array.type();
  for (const Framework &framework : known)
    if (framework.type.is(type))
      return framework;
  Framework found = {nb::borrow(type), tableOf(type), nb::object(), nb::object()};
  if (nb::hasattr(type, "requires_grad")) {
    nb::object torch = nb::borrow(nb::module_::import_("sys").attr("modules")).attr("get")("torch");
    if (torch.is_none()) // arrays that record gradients in a way that is not known
      found.table = nullptr;
    else
      found.gradientsEnabled = torch.attr("is_grad_enabled");
    found.requiresGrad = nb::steal(PyUnicode_InternFromString("requires_grad"));
  }
  known.push_back(std::move(found));
  return known.back();
}

std::optional<nb::dlpack::dltensor> winnow::python::viewOf(const Frameworks::Framework &framework, nb::handle array) {
  nb::dlpack::dltensor view;
  if (!framework.table)
    return std::nullopt;
  if (framework.table->viewFromPython(array.ptr(), &view) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  return view;
}

bool winnow::python::recordsGradients(const Frameworks::Framework &framework, nb::handle array) {
  return framework.gradientsEnabled.is_valid() && nb::cast<bool>(array.attr(framework.requiresGrad)) &&
         nb::cast<bool>(framework.gradientsEnabled());
}

nb::object winnow::python::allocate(const Frameworks::Framework &framework, nb::dlpack::dltensor prototype,
                                    uint64_t &address) {
  ManagedTensor *made = nullptr;
  // What went wrong is said by the slower way, which is taken next.
  auto ignore = [](void *, const char *, const char *) {};
  if (framework.table->allocate(&prototype, &made, nullptr, ignore) != 0 || !made) {
    PyErr_Clear();
    return nb::object();
  }
  address = reinterpret_cast<uint64_t>(made->tensor.data) + made->tensor.byte_offset;
  void *array = nullptr;
  if (framework.table->toPython(made, &array) != 0) {
    PyErr_Clear();
    return nb::object();
  }
  return nb::steal(static_cast<PyObject *>(array));
}
