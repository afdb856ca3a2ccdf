#include "detect/attack.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/embedded.h"
#include "base/text.h"

namespace egret::detect {
namespace {

constexpr std::array<std::string_view, 17> kTactics = {
    "Reconnaissance",       "ResourceDevelopment",    "InitialAccess",     "Execution", "Persistence",
    "PrivilegeEscalation",  "DefenseEvasion",         "CredentialAccess",  "Discovery", "LateralMovement",
    "Collection",           "Exfiltration",           "CommandAndControl", "Impact",    "PreAttack",
    "ImpairProcessControl", "InhibitResponseFunction"};

// https://learn.microsoft.com/azure/sentinel/entities-reference
constexpr EntityType kEntityTypes[] = {
    {"Account", "account",
     "FullName Name NTDomain DnsDomain UPNSuffix Sid AadTenantId AadUserId PUID IsDomainJoined DisplayName ObjectGuid CloudAppAccountId"},
    {"Host", "host", "HostName DnsDomain NTDomain FullName NetBiosName AzureID OMSAgentID OSFamily OSVersion IsDomainJoined"},
    {"IP", "ip", "Address AddressScope"},
    {"URL", "url", "Url"},
    {"AzureResource", "azure-resource", "ResourceId"},
    {"CloudApplication", "cloud-application", "Name AppId InstanceName InstanceId"},
    {"DNS", "dns", "DomainName"},
    {"File", "file", "Name Directory"},
    {"FileHash", "filehash", "Value Algorithm"},
    {"Malware", "malware", "Name Category"},
    {"Process", "process", "ProcessId CommandLine ElevationToken CreationTimeUtc"},
    {"RegistryKey", "registry-key", "Key Hive"},
    {"RegistryValue", "registry-value", "Name Value ValueType"},
    {"SecurityGroup", "security-group", "DistinguishedName SID ObjectGuid"},
    {"Mailbox", "mailbox", "MailboxPrimaryAddress DisplayName Upn ExternalDirectoryObjectId RiskLevel AadId"},
    {"MailCluster", "mail-cluster",
     "Query NetworkMessageIds CountByDeliveryStatus CountByThreatType CountByProtectionStatus Threats QueryTime MailCount IsVolumeAnomaly "
     "Source "
     "ClusterSourceIdentifier ClusterSourceType ClusterQueryStartTime ClusterQueryEndTime ClusterGroup"},
    {"MailMessage", "mail-message",
     "NetworkMessageId Recipient Urls Threats Sender P1Sender P1SenderDisplayName P1SenderDomain SenderIP P2Sender P2SenderDisplayName "
     "P2SenderDomain "
     "ReceivedDate InternetMessageId Subject BodyFingerprintBin1 BodyFingerprintBin2 BodyFingerprintBin3 BodyFingerprintBin4 "
     "BodyFingerprintBin5 "
     "AntispamDirection DeliveryAction DeliveryLocation Language ThreatDetectionMethods"},
    {"SubmissionMail", "SubmissionMail",
     "SubmissionId NetworkMessageId Timestamp Recipient Sender SenderIp Subject ReportType SubmissionDate Submitter"},
    {"SentinelEntities", "sentinel-entities", "Entities"},
};

const std::map<std::string_view, std::string_view>& techniques() {
  static const auto table = [] {
    std::map<std::string_view, std::string_view> found;
    std::string_view text = embedded_text("attack.tsv");
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
      if (const size_t tab = line.find('\t'); tab != std::string_view::npos) found[line.substr(0, tab)] = line.substr(tab + 1);
    }
    return found;
  }();
  return table;
}

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::span<const std::string_view> tactic_names() { return kTactics; }

bool is_technique_form(std::string_view id) {
  if (!id.starts_with('T')) return false;
  const size_t dot = id.find('.');
  const std::string_view base = id.substr(1, dot == std::string_view::npos ? dot : dot - 1);
  if (base.size() != 4 || !digits(base)) return false;
  return dot == std::string_view::npos || (id.size() == dot + 4 && digits(id.substr(dot + 1)));
}

std::string_view technique_name(std::string_view id) {
  const auto it = techniques().find(id.substr(0, id.find('.')));
  return it == techniques().end() ? std::string_view{} : it->second;
}

std::vector<std::string> technique_ids() {
  std::vector<std::string> ids;
  for (const auto& [id, name] : techniques())
    if (id.starts_with('T')) ids.emplace_back(id);
  return ids;
}

std::span<const EntityType> entity_types() { return kEntityTypes; }

const EntityType* find_entity_type(std::string_view name) {
  for (const EntityType& t : kEntityTypes)
    if (iequals(t.name, name)) return &t;
  return nullptr;
}

bool has_identifier(const EntityType& type, std::string_view identifier) {
  const auto names = split(type.identifiers, ' ');
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return iequals(n, identifier); });
}

}  // namespace egret::detect
