#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/nn/tagger.h"

namespace tagbench {

// Counts the multiply-adds of every LibTorch operation that this thread starts while the counter lives, in any network:
// one built here or a TorchScript file. Counters may be nested.
//
// The rule: one multiply-add per product of an inner product in a convolution or a matrix product, whoever makes it, so
// that an operation costs (elements of its result) x (length of the inner product): convolutions (as written, padding
// included, whatever algorithm the library picks), dense and recurrent layers, attention, the projection onto mel or
// harmonic bands. Not counted: Fourier transforms, windows, norms, activations, softmax, pooling, logarithms,
// element-wise arithmetic, biases.
//
// Operations are seen as the CPU runs them: a recurrent layer on a GPU is one opaque operation, which is missed.
class MultiplyAddCounter {
 public:
  MultiplyAddCounter();
  ~MultiplyAddCounter();
  MultiplyAddCounter(const MultiplyAddCounter&) = delete;
  MultiplyAddCounter& operator=(const MultiplyAddCounter&) = delete;

  int64_t count() const;

 private:
  int64_t start_;
};

// Of what `work` runs on this thread.
int64_t count_multiply_adds(const std::function<void()>& work);

// Of one silent chunk through front end and network, in evaluation mode (restored), on the device where the tagger is.
int64_t multiply_adds(Tagger& tagger);

struct LayerShape {
  std::string name;           // as in the state dict
  std::string shape;          // of its output for one chunk: "[1, 128, 64, 115]"
  int64_t parameters = 0;     // of the sub-module called so; 0 if there is none
  int64_t multiply_adds = 0;  // since the layer before
};

// The layers that a tagger's authors name, in the order in which one chunk passes them.
std::vector<LayerShape> model_layers(Tagger& tagger);

}  // namespace tagbench
