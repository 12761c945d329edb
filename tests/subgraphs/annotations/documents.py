"""What the tests of annotations ask for; sent to the subgraph alone and to a whole city alike."""

BOB, EVE = "0b0b0b0b-0000-4000-8000-000000000001", "0e0e0e0e-0000-4000-8000-000000000002"

ANNOTATION = """ fragment Whole on Annotation {
  id uuid modelId elementId type text tags mentionUserIds authorId createdAt updatedAt resolved version }"""
NOTE = """ fragment Whole on CollaborationNote {
  id uuid modelId text mentionUserIds relatedElementIds authorId createdAt updatedAt version }"""
CREATE = "mutation ($input: CreateAnnotationInput!) { createAnnotation(input: $input) { annotation { ...Whole } } }" + ANNOTATION
UPDATE = "mutation ($input: UpdateAnnotationInput!) { updateAnnotation(input: $input) { annotation { ...Whole } } }" + ANNOTATION
DELETE = "mutation ($input: DeleteAnnotationInput!) { deleteAnnotation(input: $input) { deletedId } }"
CREATE_NOTE = "mutation ($input: CreateNoteInput!) { createNote(input: $input) { note { ...Whole } } }" + NOTE
UPDATE_NOTE = "mutation ($input: UpdateNoteInput!) { updateNote(input: $input) { note { ...Whole } } }" + NOTE
DELETE_NOTE = "mutation ($input: DeleteNoteInput!) { deleteNote(input: $input) { deletedId } }"
