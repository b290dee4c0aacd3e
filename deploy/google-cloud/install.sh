#!/bin/sh
# Cloud Scheduler runs the workflow beside this file once a minute. Needs gcloud, signed in, and these settings:
#   PROJECT=my-project REGION=europe-west1 SIDELINE_URL=https://sideline.example.org sh deploy/google-cloud/install.sh
# The secret is put into Secret Manager once, from standard input, and is in no file:
#   gcloud secrets create sideline-scheduler --project "$PROJECT" --data-file=-
# ACCOUNT is a service account that may read that secret and run workflows.
set -eu
: "${PROJECT:?}" "${REGION:?}" "${SIDELINE_URL:?}"
ACCOUNT="${ACCOUNT:-sideline-scheduler@$PROJECT.iam.gserviceaccount.com}"

gcloud workflows deploy sideline-tick --project "$PROJECT" --location "$REGION" \
    --source "$(dirname "$0")/workflow.yaml" --service-account "$ACCOUNT" --set-env-vars "SIDELINE_URL=$SIDELINE_URL"

if gcloud scheduler jobs describe sideline-tick --project "$PROJECT" --location "$REGION" > /dev/null 2>&1; then
    verb=update
else
    verb=create
fi
gcloud scheduler jobs "$verb" http sideline-tick --project "$PROJECT" --location "$REGION" \
    --schedule "* * * * *" --time-zone UTC --attempt-deadline 30s --http-method POST \
    --uri "https://workflowexecutions.googleapis.com/v1/projects/$PROJECT/locations/$REGION/workflows/sideline-tick/executions" \
    --oauth-service-account-email "$ACCOUNT"
