#pragma once

#include <c10/core/Device.h>

namespace tagbench {

// While it lives, operations on this thread that gain from it run in bfloat16 (PyTorch's autocast rules). Inactive for
// `enabled` false.
class AutocastGuard {
 public:
  AutocastGuard(c10::Device device, bool enabled);
  ~AutocastGuard();
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  c10::Device device_;
  bool enabled_;
};

}  // namespace tagbench
