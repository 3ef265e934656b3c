#include "harness/core/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <vector>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

std::string hex(const unsigned char* bytes, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    text.push_back(kDigits[bytes[i] >> 4U]);
    text.push_back(kDigits[bytes[i] & 15U]);
  }
  return text;
}

template <typename Consume>
void read_in_blocks(const std::filesystem::path& path, Consume consume) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError("cannot open " + path.string() + " for reading");
  std::vector<char> block(size_t{1} << 20U);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (file.bad()) throw DataError("cannot read " + path.string());
    consume(block.data(), static_cast<size_t>(file.gcount()));
  }
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw std::logic_error("sha256: OpenSSL could not start a digest");
    }
  }
  void update(const void* data, size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    return hex(digest, size);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string xxh128_text(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return hex(canonical.digest, sizeof canonical.digest);
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes.data(), bytes.size());
  return digest.finish();
}

std::string sha256_file_hex(const std::filesystem::path& path) {
  Sha256 digest;
  read_in_blocks(path, [&](const char* data, size_t size) { digest.update(data, size); });
  return digest.finish();
}

std::string xxh128_hex(const void* data, size_t size) {
  return xxh128_text(XXH3_128bits(data, size));
}

std::string xxh128_file_hex(const std::filesystem::path& path) {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  XXH3_128bits_reset(state.get());
  read_in_blocks(path, [&](const char* data, size_t size) { XXH3_128bits_update(state.get(), data, size); });
  return xxh128_text(XXH3_128bits_digest(state.get()));
}

uint64_t xxh64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace tagbench
