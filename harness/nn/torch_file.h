#pragma once

#include "harness/nn/byte_source.h"
#include "harness/nn/state_dict.h"

// Files of torch.save. Beside tensors, StateDict::metadata tells what was found: "container" ("torch zip", "torch
// stream", "TorchScript"), "taken_from" (the key whose dictionary was used, if the file held more than the state dict)
// and "ignored_values" (how many entries were no tensors). Views of one storage stay views of one storage.
namespace tagbench {

// The zip form (since PyTorch 1.6) and TorchScript archives, of which parameters, buffers and other tensor attributes
// are taken.
StateDict read_torch_zip(const ByteSource& source);

// The form before PyTorch 1.6: five pickles, then the storages.
StateDict read_torch_stream(const ByteSource& source);

}  // namespace tagbench
