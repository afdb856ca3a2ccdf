#pragma once
// Providers as file names write them.
#include <string_view>

namespace egret::ingest {

// "femueller_akamai-v4.txt" → "Akamai"; empty when the name has none.
std::string_view provider_of_path(std::string_view path);
// Addresses that serve many customers at once: content delivery networks and front doors.
bool shared_service(std::string_view provider, std::string_view service);

}  // namespace egret::ingest
