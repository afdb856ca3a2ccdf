#pragma once
// MD5 (RFC 1321), for fingerprints that are defined by it (JA3). It proves nothing: for what must not be forged there is sha256_hex.
#include <string>
#include <string_view>

namespace egret {

std::string md5_hex(std::string_view bytes);  // 32 lower-case digits

}  // namespace egret
