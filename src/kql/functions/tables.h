#pragma once
// The tables of functions/, one a file, joined in all.cc.
#include "kql/function.h"

namespace egret::kql::functions {

extern const FunctionTable kConversions;
extern const FunctionTable kOperators;
extern const FunctionTable kLogic;
extern const FunctionTable kMath;
extern const FunctionTable kStrings;
extern const FunctionTable kPatterns;
extern const FunctionTable kOldPatterns;
extern const FunctionTable kTerms;
extern const FunctionTable kDynamic;
extern const FunctionTable kArrays;
extern const FunctionTable kSets;
extern const FunctionTable kBags;
extern const FunctionTable kDatetime;
extern const FunctionTable kIp;
extern const FunctionTable kEncoding;
extern const FunctionTable kParsing;
extern const FunctionTable kSeries;
extern const FunctionTable kSeriesStatistics;
extern const FunctionTable kGeo;
extern const FunctionTable kPayload;
extern const FunctionTable kUnits;
extern const FunctionTable kPunycode;

}  // namespace egret::kql::functions
