#include "incident/mask.h"

#include <gtest/gtest.h>

namespace egret::incident {
namespace {

TEST(Mask, HidesSecretsAndPeopleAndKeepsEvidence) {
  const struct {
    const char* given;
    const char* wanted;
  } kCases[] = {
      {"GET /x?token=abc123def&id=7", "GET /x?token=[secret]&id=7"},
      {"/cb?sig=Zm9v%2Bbar&se=2022", "/cb?sig=[secret]&se=2022"},
      {"Authorization: Bearer abcdefghijkl", "Authorization: Bearer [secret]"},
      {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[secret]"},
      {"postgres://app:hunter2@db:5432/x", "postgres://[secret]@db:5432/x"},
      {R"({"client_secret": "s3cr3t!x", "a": 1})", R"({"client_secret": "[secret]", "a": 1})"},
      {"AccountKey=abcd/efgh==;EndpointSuffix=core", "AccountKey=[secret];EndpointSuffix=core"},
      {"by jane.doe@example.com", "by [person]@example.com"},
      {"sha256:0123456789abcdef", "sha256:0123456789abcdef"},
      {"acr.io/app@sha256:00ff", "acr.io/app@sha256:00ff"},
      {"system:serviceaccount:kube-system:x", "system:serviceaccount:kube-system:x"},
      {"http://169.254.169.254/metadata/identity/oauth2/token?api-version=1",
       "http://169.254.169.254/metadata/identity/oauth2/token?api-version=1"},
  };
  for (const auto& c : kCases) EXPECT_EQ(mask(c.given), c.wanted);
}

}  // namespace
}  // namespace egret::incident
