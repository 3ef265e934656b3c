#pragma once

#include "harness/nn/byte_source.h"
#include "harness/nn/state_dict.h"

namespace tagbench {

// https://github.com/huggingface/safetensors: 8 bytes little-endian header length, a JSON header, raw little-endian
// data. Types F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL. The header may have 16 MiB; the tensors must fill the data
// exactly, without gaps or overlap. Errors: DataError that names the file and the first thing that does not fit.
StateDict read_safetensors(const ByteSource& source);

}  // namespace tagbench
